/**
 * Pan and zoom: which part of the world is seen, and how large.
 */
export interface IView {
  /** Offset of the world's origin in the viewport, in pixels. */
  x: number;
  y: number;
  scale: number;
}

/** The reader goes as far out as this, or until everything is seen. */
const LEAST_SCALE = 0.02;
/** What is shown by itself is never smaller than one can read; the reader may go further out. */
const READABLE_SCALE = 0.5;
const MOST_SCALE = 2.5;
/** So long after its last movement it rests. */
const REST_MS = 250;
const FIT_MARGIN = 8;
/** The buttons stand in the lower right corner. */
const TOOLS_HEIGHT = 36;
const WHEEL_SPEED = 0.0015;
const PINCH_SPEED = 0.01;
const LINE_PX = 16;
/** A press that moves less is a click. */
const DRAG_PX = 4;

export class Camera {
  constructor(
    private readonly viewport: HTMLElement,
    private readonly world: HTMLElement,
    private readonly wheel: 'zoom' | 'modifier',
    /** Called after each movement, and when the viewport has another size. */
    private readonly moved: () => void
  ) {
    viewport.addEventListener('wheel', this._onWheel, { passive: false });
    viewport.addEventListener('pointerdown', this._onPointerDown);
    // Lab is not everywhere: without an observer the first fit stays.
    if (typeof ResizeObserver !== 'undefined') {
      this._observer = new ResizeObserver(() => {
        if (this._untouched) {
          this._settle();
        }
        this.moved();
      });
      this._observer.observe(viewport);
    }
  }

  get view(): IView {
    return this._view;
  }

  /**
   * Tell the size of the world, and the point in it that matters most. Shows all of the world, or as much
   * around that point as can be read, until the reader moves it himself.
   */
  setWorld(width: number, height: number, focus: { x: number; y: number }): void {
    this._width = width;
    this._height = height;
    this._focus = focus;
    if (this._untouched) {
      this._settle();
    }
  }

  /** The part of the world that is seen: left, top, right, bottom; null while there is no room. */
  get seen(): readonly [number, number, number, number] | null {
    const { clientWidth: width, clientHeight: height } = this.viewport;
    const { x, y, scale } = this._view;
    return width && height ? [-x / scale, -y / scale, (width - x) / scale, (height - y) / scale] : null;
  }

  /** Whether all of the world is seen by itself: the reader has not moved, and it can be read so. */
  get showsAll(): boolean {
    return this._untouched && this._fitting() >= READABLE_SCALE;
  }

  /** Whether the reader moves it right now. When it rests, `moved` is called once more. */
  get isMoving(): boolean {
    return this._rest !== null;
  }

  /** From now on move only when asked; go back to an earlier view. */
  hold(view: IView): void {
    this._untouched = false;
    this._set(view);
  }

  /** Move by a distance in the world. */
  shift(dx: number, dy: number): void {
    const { x, y, scale } = this._view;
    this._set({ x: x + dx * scale, y: y + dy * scale, scale });
  }

  /** Show everything, never larger than life. */
  fit(): void {
    this._show(this._fitting());
  }

  private _settle(): void {
    this._show(Math.max(this._fitting(), READABLE_SCALE));
    this._untouched = true;
  }

  /** The scale at which everything is seen; 0 while there is no room. */
  private _fitting(): number {
    const room = {
      width: this.viewport.clientWidth - 2 * FIT_MARGIN,
      height: this.viewport.clientHeight - 2 * FIT_MARGIN - TOOLS_HEIGHT
    };
    if (room.width <= 0 || room.height <= 0 || !this._width || !this._height) {
      return 0;
    }
    return Math.min(room.width / this._width, room.height / this._height, 1);
  }

  private _show(scale: number): void {
    const { clientWidth, clientHeight } = this.viewport;
    if (!clientWidth || !clientHeight || scale === 0) {
      return;
    }
    // Centred where there is room, else about the point that matters.
    const place = (room: number, size: number, focus: number): number =>
      size * scale <= room
        ? (room - size * scale) / 2
        : Math.min(FIT_MARGIN, Math.max(room - size * scale - FIT_MARGIN, room / 2 - focus * scale));
    this._set({
      x: place(clientWidth, this._width, this._focus.x),
      y: place(clientHeight - TOOLS_HEIGHT, this._height, this._focus.y),
      scale
    });
  }

  /** Zoom about a point of the viewport, its middle by default. */
  zoom(factor: number, x = this.viewport.clientWidth / 2, y = this.viewport.clientHeight / 2): void {
    const least = Math.min(LEAST_SCALE, this._fitting() || 1);
    const scale = Math.min(MOST_SCALE, Math.max(least, this._view.scale * factor));
    const ratio = scale / this._view.scale;
    this._untouched = false;
    this._stir();
    this._set({ x: x - (x - this._view.x) * ratio, y: y - (y - this._view.y) * ratio, scale });
  }

  /** Move as little as needed to bring a rectangle of the world into sight. */
  reveal(left: number, top: number, width: number, height: number): void {
    const { x, y, scale } = this._view;
    const move = (start: number, size: number, room: number): number => {
      if (!room) {
        return 0;
      }
      const before = FIT_MARGIN - start;
      const after = start + size + FIT_MARGIN - room;
      return before > 0 ? before : after > 0 ? -after : 0;
    };
    const dx = move(left * scale + x, width * scale, this.viewport.clientWidth);
    const dy = move(top * scale + y, height * scale, this.viewport.clientHeight);
    if (dx || dy) {
      this._untouched = false;
      this._set({ x: x + dx, y: y + dy, scale });
    }
  }

  dispose(): void {
    this._observer?.disconnect();
    clearTimeout(this._rest ?? undefined);
    this.viewport.removeEventListener('wheel', this._onWheel);
    this.viewport.removeEventListener('pointerdown', this._onPointerDown);
    this._release?.();
  }

  /** It moves, and will rest. */
  private _stir(): void {
    clearTimeout(this._rest ?? undefined);
    this.viewport.classList.add('fl-mod-moving');
    this._rest = setTimeout(() => {
      this._rest = null;
      this.viewport.classList.remove('fl-mod-moving');
      this.moved();
    }, REST_MS);
  }

  private _set(view: IView): void {
    this._view = view;
    this.world.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    this.moved();
  }

  private readonly _onWheel = (event: WheelEvent): void => {
    // A pinch on a touchpad arrives as a wheel with Ctrl.
    const pinch = event.ctrlKey || event.metaKey;
    if (this.wheel === 'modifier' && !pinch) {
      return;
    }
    event.preventDefault();
    const box = this.viewport.getBoundingClientRect();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);
    const speed = pinch ? PINCH_SPEED : WHEEL_SPEED;
    this.zoom(Math.exp(-pixels * speed), event.clientX - box.left, event.clientY - box.top);
  };

  private readonly _onPointerDown = (event: PointerEvent): void => {
    if (event.button !== 0 || this._release) {
      return;
    }
    const start = { ...this._view, clientX: event.clientX, clientY: event.clientY };
    let dragging = false;
    const move = (next: PointerEvent): void => {
      const dx = next.clientX - start.clientX;
      const dy = next.clientY - start.clientY;
      dragging ||= Math.hypot(dx, dy) > DRAG_PX;
      if (dragging) {
        this._untouched = false;
        this.viewport.classList.add('fl-mod-panning');
        this._stir();
        this._set({ x: start.x + dx, y: start.y + dy, scale: start.scale });
      }
    };
    const release = (): void => {
      window.removeEventListener('pointermove', move);
      window.removeEventListener('pointerup', release);
      window.removeEventListener('pointercancel', release);
      this._release = null;
      // The click that ends a drag selects nothing: it comes right after this event.
      setTimeout(() => this.viewport.classList.remove('fl-mod-panning'));
    };
    window.addEventListener('pointermove', move);
    window.addEventListener('pointerup', release);
    window.addEventListener('pointercancel', release);
    this._release = release;
  };

  private _view: IView = { x: 0, y: 0, scale: 1 };
  private _width = 0;
  private _height = 0;
  private _focus = { x: 0, y: 0 };
  private _untouched = true;
  private _observer: ResizeObserver | null = null;
  private _release: (() => void) | null = null;
  private _rest: ReturnType<typeof setTimeout> | null = null;
}
