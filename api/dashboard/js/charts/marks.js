// What is painted on a curve's canvas beside the curve: the future, a threshold, markers.

import { colour } from "./figure.js";

export function paintFuture(u, now) {
  if (now === undefined || now === null) return;
  const { left, top, width, height } = u.bbox;
  const from = Math.max(left, Math.min(left + width, u.valToPos(now, "x", true)));
  u.ctx.save();
  u.ctx.fillStyle = colour("future");
  u.ctx.fillRect(from, top, left + width - from, height);
  u.ctx.strokeStyle = colour("muted");
  u.ctx.lineWidth = devicePixelRatio;
  u.ctx.setLineDash([]);
  if (from > left && from < left + width) {
    stroke(u.ctx, from, top, from, top + height);
    write(u.ctx, "now", from, top - 4 * devicePixelRatio, colour("muted"), "center"); // above, where no curve is
  }
  u.ctx.restore();
}

export function paintThreshold(u, threshold) {
  if (!threshold) return;
  const { left, width, top, height } = u.bbox;
  const y = u.valToPos(threshold.y, "y", true);
  if (y < top || y > top + height) return;
  u.ctx.save();
  u.ctx.strokeStyle = colour("bad");
  u.ctx.lineWidth = devicePixelRatio;
  u.ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  stroke(u.ctx, left, y, left + width, y);
  const room = 22 * devicePixelRatio; // at the end: states begin at the other
  write(u.ctx, threshold.label || "", left + width - room, y - 4 * devicePixelRatio, colour("bad"));
  u.ctx.restore();
}

export function paintMarkers(u, markers) {
  const { left, width, top, height } = u.bbox;
  u.ctx.save();
  u.ctx.lineWidth = 1.75 * devicePixelRatio;
  u.ctx.setLineDash([]);
  u.ctx.fillStyle = colour("surface");
  for (const each of markers) {
    const x = u.valToPos(each.x, "x", true);
    if (x < left - 1 || x > left + width + 1) continue;
    const y = Math.max(top, Math.min(top + height, u.valToPos(each.y, "y", true)));
    u.ctx.strokeStyle = colour(each.colour || "accent");
    u.ctx.beginPath();
    u.ctx.arc(x, y, 4 * devicePixelRatio, 0, 2 * Math.PI);
    u.ctx.fill();
    u.ctx.stroke();
  }
  u.ctx.restore();
}

function stroke(ctx, x0, y0, x1, y1) {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

function write(ctx, text, x, y, fill, textAlign = "left") {
  Object.assign(ctx, { fillStyle: fill, textAlign, textBaseline: "alphabetic" });
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.fillText(text, x, y);
}
