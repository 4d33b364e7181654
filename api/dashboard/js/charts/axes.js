// Axes of curves, with times in the viewer's language and zone.

import { colour } from "./figure.js";

const DAY = 86400;
const FORMATS = [
  [DAY * 300, { year: "numeric" }],
  [DAY * 27, { month: "short", year: "numeric" }],
  [DAY, { day: "numeric", month: "short" }],
  [60, { hour: "2-digit", minute: "2-digit" }],
  [0, { minute: "2-digit", second: "2-digit" }],
].map(([above, format]) => [above, new Intl.DateTimeFormat(undefined, format)]);
const MONTHLY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

/** The axis of time and that of values, at `ticks` if they are given; in a low plot the values may stand closer. */
export function axes(format, height, ticks) {
  const shared = {
    stroke: colour("muted"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
  };
  return [
    { ...shared, space: 76, size: 28, grid: { show: false }, values: (_, splits, __, ___, step) => splits.map(stamp(step)) },
    { ...shared, space: height < 150 ? 20 : 34, size: 44, splits: ticks, values: (_, splits) => splits.map((y) => format(y)) },
  ];
}

function stamp(step) {
  const [, shape] = FORMATS.find(([above]) => step >= above);
  return (at) => {
    const date = new Date(at * 1000);
    const isMidnight = step < DAY && date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
    return (isMidnight ? MONTHLY : shape).format(date);
  };
}
