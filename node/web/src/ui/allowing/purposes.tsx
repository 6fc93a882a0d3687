// The purposes of a consent, each with a picture and a sentence, in the order of how often they are wanted.

import { type Key, purposeText, t } from "../../i18n.js";

/** Each as the strokes of a picture in a square of 20. */
const PICTURES: Record<string, string> = {
  "train-ai": "M3 8 10 4.5 17 8 10 11.5Z M6 10V14c2.4 1.8 5.6 1.8 8 0V10 M17 8V13",
  "train-generative-ai": "M10 2.5 11.6 8.4 17.5 10 11.6 11.6 10 17.5 8.4 11.6 2.5 10 8.4 8.4Z",
  "fine-tune": "M4 5H16 M4 10H16 M4 15H16 M7.5 3.5V6.5 M12.5 8.5V11.5 M6 13.5V16.5",
  evaluate: "M4 16V11 M8 16V6 M12 16V9 M16 16V4",
  inference: "M3 4H17V13H9L5.5 16.5V13H3Z M7 8.5H13",
  "data-mining": "M3 4H8V8H3Z M12 4H17V8H12Z M3 12H8V16H3Z M12 12H17V16H12Z",
  research: "M8.5 3a5.5 5.5 0 1 0 .01 0 M12.5 12.5 17 17",
  advertising: "M3 8V12H6L14 16V4L6 8Z M16.5 8V12",
  resale: "M3 7H15L12 4 M17 13H5L8 16",
  "biometric-identification": "M3 7V3H7 M13 3H17V7 M17 13V17H13 M7 17H3V13 M10 6.5a2.2 2.2 0 1 0 .01 0 M6.5 14.5c.8-3.4 6.2-3.4 7 0",
  "likeness-synthesis": "M7 4a2.6 2.6 0 1 0 .01 0 M2.5 16c.8-5 8.2-5 9 0 M13 4.5a2.4 2.4 0 0 1 0 4.4 M14 11.5c2 .6 3.2 2.2 3.5 4.5",
};
export const PURPOSES = Object.keys(PICTURES);
const UNKNOWN = "M7 7.5a3 3 0 1 1 4.2 2.8c-.8.4-1.2 1-1.2 2 M10 15.2V15.4";

/** What a purpose means, in a sentence. */
export const meaningOf = (name: string): string =>
  t(name in PICTURES ? (`x_${name.replaceAll("-", "_")}` as Key) : "x_unknown");

export function Picture({ of }: { of: string }) {
  return (
    <svg class="icon picture" viewBox="0 0 20 20" aria-hidden="true">
      <path d={PICTURES[of] ?? UNKNOWN} />
    </svg>
  );
}

export function Meant({ purposes }: { purposes: string[] }) {
  return (
    <ul class="meant">
      {purposes.map((name) => (
        <li key={name} data-purpose={name}>
          <Picture of={name} />
          <span>
            <strong>{purposeText(name)}</strong>
            <span class="quiet small">{meaningOf(name)}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}
