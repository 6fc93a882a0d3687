// The files of a license: as people know them where this device has their names, found by dropping one, chosen one by
// one or all that are shown, and taken back for every purpose or for one.

import { useEffect, useMemo, useState } from "preact/hooks";

import { purposeText, t } from "../i18n.js";
import type { License } from "../net/api.js";
import { type Shelved, folderOf, foundAs, shelved } from "../net/shelf.js";
import { short } from "../protocol/bytes.js";
import { isSet } from "../protocol/words.js";
import { countOf, coveredOf } from "../reach.js";
import { type Wish, wishFiles, wishPart } from "../wish.js";
import { useApp, useShown } from "./app.js";
import { FileDrop, type Hashed, useReading } from "./files.js";
import { Says } from "./parts.js";
import { useSalts } from "./salting.js";

const PAGE = 50;

interface ItemsProps {
  held: License;
  own: boolean;
  guards: boolean;
  ask: (wish: Wish) => void;
}

interface Row {
  item: string;
  at: number;
  known: Partial<Shelved>;
  /** The purposes for which it is taken back. */
  lost: string[];
}

/** What this device knows of the files, by their item hashes. */
function useShelf(items: string[]) {
  const [known, setKnown] = useState<ReadonlyMap<string, Partial<Shelved>>>(new Map());
  useEffect(() => void shelved(items).then((found) => setKnown(new Map(found.map((one) => [one.item, one])))), [items.length, items[0]]);
  const add = (rows: Partial<Shelved>[]) => setKnown((before) => new Map([...before, ...rows.map((one) => [one.item!, { ...one, ...before.get(one.item!) }] as const)]));
  return { known, add };
}

export function Items({ held, own, guards, ask }: ItemsProps) {
  const { consent, items } = held;
  const { account } = useApp();
  const masks = useMemo(() => held.revoked_masks.map(BigInt), [held]);
  const [search, setSearch] = useState("");
  const [folder, setFolder] = useState("");
  const { shown, more } = useShown(PAGE);
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const [purpose, setPurpose] = useState("");
  const { known, add } = useShelf(items);
  const width = consent.purposes.length;
  const rows: Row[] = useMemo(
    () =>
      items.map((item, at) => ({ item, at, known: known.get(item) ?? {}, lost: consent.purposes.filter((_, column) => isSet(masks, width, at, column)) })),
    [items, known, masks],
  );
  const folders = useMemo(() => [...new Set(rows.map((one) => folderOf(one.known.name ?? "")))].sort(), [rows]);
  const matching = useMemo(() => rows.filter((one) => fits(one, search, folder)), [rows, search, folder]);
  const open = matching.filter((one) => one.lost.length < width);
  const all = open.length > 0 && open.every((one) => chosen.has(one.at));
  const set = (at: number[], on: boolean) => {
    const next = new Set(chosen);
    for (const one of at) on ? next.add(one) : next.delete(one);
    setChosen(next);
  };
  const find = async ([file]: Hashed[]) => {
    const names = [file!.item, ...(await foundAs(file!.item)).map((one) => one.item)];
    const found = names.find((one) => items.includes(one)) ?? file!.item;
    add([{ item: found, name: file!.name }]);
    setSearch(found);
  };
  // The names of this license's files are taken from a file of salts.
  const { said, reading } = useSalts(useReading(find), (rows) => {
    const listed = new Set(items);
    const here = new Map(rows.filter((one) => listed.has(one.item)).map((one) => [one.item, one]));
    add([...here.values()]);
    return here.size === 0 ? { kind: "warn", text: t("salts_none") } : { kind: "good", text: t("salts_taken", { n: here.size }) };
  });
  // What was chosen is done, or was done elsewhere.
  useEffect(() => (setChosen(new Set()), setPurpose("")), [held.revoked_permissions]);
  const takeable = rows.filter(({ at, lost }) => chosen.has(at) && (purpose ? !lost.includes(purpose) : lost.length < width));
  const takeChosen = () => {
    const files = takeable.map(({ at, item, known: { name = "" } }) => ({ at, item, name }));
    const positions = files.map((one) => one.at);
    if (own) ask(wishPart(held, positions, purpose ? [purpose] : consent.purposes, files));
    else ask(wishFiles({ signer: account!, ward: consent.contributor }, held, files));
  };
  return (
    <>
      {own && held.status !== "revoked" && width > 1 && <Purposes held={held} ask={ask} />}
      <div class="tools">
        <label>
          <span>{t("search")}</span>
          <input type="search" value={search} placeholder="0x…" onInput={(event) => setSearch(event.currentTarget.value)} />
        </label>
        {folders.length > 1 && (
          <label>
            <span>{t("folder")}</span>
            <select value={folder} onChange={(event) => setFolder(event.currentTarget.value)}>
              <option value="">{t("all_folders")}</option>
              {folders.filter(Boolean).map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      <FileDrop many={false} label={t("find_file")} reading={reading} />
      <Says all={said} />
      {(own || guards) && known.size < items.length && <p class="quiet small">{t("find_salts")}</p>}
      {known.size > 0 && <p class="quiet small">{t("names_here")}</p>}
      {matching.length === 0 && <p>{t("no_match")}</p>}
      {(own || guards) && open.length > 1 && (
        <label class="check">
          <input type="checkbox" checked={all} onChange={(event) => set(open.map((one) => one.at), event.currentTarget.checked)} />
          {t("select_all", { n: open.length })}
        </label>
      )}
      <ul class="items">
        {matching.slice(0, shown).map((row) => (
          <ItemRow key={row.item} row={row} width={width} checked={chosen.has(row.at)} set={own || guards ? (on) => set([row.at], on) : null} />
        ))}
      </ul>
      {matching.length > shown && (
        <button type="button" class="wide" onClick={more}>
          {t("more", { n: Math.min(PAGE, matching.length - shown) })}
        </button>
      )}
      {chosen.size > 0 && (
        <div class="bar">
          {own && width > 1 && (
            <label>
              <span>{t("for_what")}</span>
              <select value={purpose} onChange={(event) => setPurpose(event.currentTarget.value)}>
                <option value="">{t("for_all")}</option>
                {consent.purposes.map((one) => (
                  <option key={one} value={one}>
                    {purposeText(one)}
                  </option>
                ))}
              </select>
            </label>
          )}
          <button type="button" class="danger wide" disabled={takeable.length === 0} onClick={takeChosen}>
            {t("take_back_chosen", { n: takeable.length })}
          </button>
        </div>
      )}
    </>
  );
}

interface ItemRowProps {
  row: Row;
  width: number;
  checked: boolean;
  set: ((on: boolean) => void) | null;
}

function ItemRow({ row: { item, known, lost }, width, checked, set }: ItemRowProps) {
  const whole = lost.length === width;
  return (
    <li class={whole ? "over" : ""}>
      <label>
        {set && <input type="checkbox" checked={checked} disabled={whole} onChange={(event) => set(event.currentTarget.checked)} />}
        {known.picture && <img class="look" src={known.picture} alt="" width="48" height="48" />}
        <span class="names">
          <span class="name">{known.name ?? <code title={item}>{short(item)}</code>}</span>
          {known.name !== undefined && <code class="quiet" title={item}>{short(item)}</code>}
        </span>
        {lost.length > 0 && <span class="pill revoked">{whole ? t("revoked") : `${t("revoked")}: ${lost.map(purposeText).join(", ")}`}</span>}
      </label>
    </li>
  );
}

function Purposes({ held, ask }: Pick<ItemsProps, "held" | "ask">) {
  const { consent } = held;
  const open = consent.purposes.filter((name) => countOf([coveredOf(held, [name])]).files > 0);
  const every = open.map((name) => ({ name, wish: () => wishPart(held, [...held.items.keys()], [name]) }));
  return (
    <p class="actions purposes">
      {every.map(({ name, wish }) => (
        <button type="button" key={name} onClick={() => ask(wish())}>
          {t("take_back_for", { purpose: purposeText(name) })}
        </button>
      ))}
    </p>
  );
}

function fits({ item, known }: Row, search: string, folder: string): boolean {
  if (folder && folderOf(known.name ?? "") !== folder) return false;
  const words = search.trim().toLowerCase();
  return words === "" || item.includes(words) || (known.name ?? "").toLowerCase().includes(words);
}
