/**
 * Placing a thousand nodes in a blink, where beauty gives way to speed. Pure; d3-dag does the work.
 *
 * A file of its own: the widget, which travels with each notebook, does without the library.
 */
import { coordCenter, graph, layeringLongestPath, sugiyama } from 'd3-dag';

import { uncross } from './crossings';
import { ACROSS_PX, ALONG_PX, IPoint, Placer } from './place';

export const placeMany: Placer = (sizes, edges, direction) => {
  const turn = ({ x, y }: IPoint): IPoint => (direction === 'TB' ? { x, y } : { x: y, y: x });
  const work = graph<string, number>();
  const made = new Map([...sizes.keys()].map(id => [id, work.node(id)]));
  edges.forEach((edge, index) => work.link(made.get(edge.source)!, made.get(edge.target)!, index));
  const layOut = sugiyama()
    .layering(layeringLongestPath())
    .decross(uncross)
    .coord(coordCenter())
    .nodeSize(({ data }: { data: string }): [number, number] => {
      const { width, height } = sizes.get(data)!;
      return direction === 'TB' ? [width, height] : [height, width];
    })
    .gap([ACROSS_PX[direction], ALONG_PX[direction]]);
  const size = layOut(work);
  const nodes = new Map([...made].map(([id, node]) => [id, turn(node)]));
  const passed: IPoint[][] = edges.map(() => []);
  for (const link of work.links()) {
    passed[link.data] = link.points.slice(1, -1).map(([x, y]) => turn({ x, y }));
  }
  const { x: width, y: height } = turn({ x: size.width, y: size.height });
  return { width, height, nodes, passed };
};
