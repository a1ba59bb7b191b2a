import './base.css';
import './dag.css';
import './card.css';
import './artifact.css';
import './panel.css';
import './runview.css';
import './runtable.css';
import './chips.css';
