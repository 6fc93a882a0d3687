// The way of a license as a picture, which is a tree: each holder below the one from whom it has the license. Each
// place in it has a text for screen readers; the same stands in the list below the picture.

import { whoText } from "../../company.js";
import { isRightToLeft, t } from "../../i18n.js";
import type { Holder } from "../../net/api.js";
import { same } from "../../protocol/bytes.js";
import { isSilent, spoken, standingOf } from "./standing.js";

const WIDTH = 340;
const ROW = 66;
const STEP = 22; // how far each is set in below the other
const DEEPEST = 4;
const SHOWN = 40;
const LETTER = 7.4; // pixels, as wide as letters are on average

const SHAPES = {
  holds: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
  confirmed: "M-5 .5-1.5 4 5-4",
  due: "M0-6V0L4 2.5",
  undated: "M0-6V0L4 2.5",
  late: "M0-6V1.5 M0 5.4V5.6",
} as const;

interface Placed {
  one: Holder;
  depth: number;
  row: number;
  /** The row of the one above it; -1 is the person. */
  above: number;
}

/** The holders in the order of the tree; whoever stands in a circle or has an unknown source stands below the person. */
export function placed(all: Holder[]): Placed[] {
  const found: Placed[] = [];
  const seen = new Set<string>();
  const put = (one: Holder, depth: number, above: number) => {
    if (seen.has(one.address)) return;
    seen.add(one.address);
    const row = found.push({ one, depth, row: found.length, above }) - 1;
    for (const other of all) if (!other.is_grantee && sourceOf(other, all) === one.address) put(other, Math.min(depth + 1, DEEPEST), row);
  };
  for (const one of all) if (one.is_grantee || !sourceOf(one, all)) put(one, 0, -1);
  for (const one of all) put(one, 0, -1);
  return found;
}

const sourceOf = (one: Holder, all: Holder[]): string | null =>
  all.find((other) => other !== one && one.passed_on[0] && same(other.address, one.passed_on[0].signer))?.address ?? null;

const fitted = (text: string, width: number): string => {
  const most = Math.floor(width / LETTER);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
};

export function Picture({ holders, node }: { holders: Holder[]; node: string }) {
  const shown = placed(holders).slice(0, SHOWN);
  const height = (shown.length + 1) * ROW;
  const x = (at: number) => (isRightToLeft() ? WIDTH - at : at);
  const start = (depth: number) => 8 + STEP * (depth + 1);
  return (
    <svg class="trace" viewBox={`0 0 ${WIDTH} ${height}`} role="group" aria-label={t("tr_picture", { n: holders.length })}>
      {shown.map(({ row, depth, above }) => {
        const from = x(above < 0 ? 18 : start(shown[above]!.depth) + 10);
        return <path key={row} class="way" d={`M${from} ${(above + 1) * ROW + (above < 0 ? 40 : 48)}V${(row + 1) * ROW + 26}H${x(start(depth))}`} aria-hidden="true" />;
      })}
      <g role="img" aria-label={t("tr_you")}>
        <circle cx={x(18)} cy={26} r={12} class="you" />
        <text x={x(40)} y={31} class="name">
          {t("tr_you")}
        </text>
      </g>
      {shown.map(({ one, depth, row }) => {
        const left = start(depth);
        const top = (row + 1) * ROW + 4;
        const room = WIDTH - left - 42;
        const standing = standingOf(one);
        return (
          <g key={one.address} role="img" aria-label={spoken(one, holders, node)} data-holder={one.address} data-standing={standing}>
            <rect x={isRightToLeft() ? 2 : left} y={top} width={WIDTH - left - 2} height={ROW - 12} rx={10} class={`box ${standing}`} />
            <path class={`mark ${standing}`} d={SHAPES[standing]} transform={`translate(${x(left + 18)} ${top + 20})`} />
            <text x={x(left + 34)} y={top + 24} class="name">
              {fitted(whoText(one.address), room)}
            </text>
            <text x={x(left + 34)} y={top + 43} class="said">
              {fitted(isSilent(one, holders) ? `${t(`tr_short_${standing}`)} · ${t("tr_short_silent")}` : t(`tr_short_${standing}`), room)}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
