// The written terms of a license: its fingerprint is signed, so the page shows it, and compares a text with it.

import { useState } from "preact/hooks";

import { t } from "../../i18n.js";
import { hashFile } from "../../net/hashing.js";
import { Say } from "../parts.js";
import { type Form, textHash } from "./form.js";

const READABLE = 200_000; // bytes of a text that is shown

interface WrittenProps {
  form: Form;
  /** Takes the fingerprint of a file where none is asked for. */
  take: ((hash: string) => void) | null;
}

export function Written({ form, take }: WrittenProps) {
  const [found, setFound] = useState<{ hash: string; text: string } | null>(null);
  const read = async (file: File | undefined) => {
    if (!file) return;
    const hash = await hashFile(file, () => undefined);
    const readable = file.type.startsWith("text/") && file.size <= READABLE;
    setFound({ hash, text: readable ? await file.text() : "" });
    if (!form.terms) take?.(hash);
  };
  const text = form.termsText || (found?.text ?? "");
  const hash = form.termsText ? textHash(form.termsText) : found?.hash;
  return (
    <div class="written">
      {form.terms && (
        <p>
          {t("terms_hash")} <code class="long">{form.terms}</code>
        </p>
      )}
      {form.termsUri && (
        <p>
          <a href={form.termsUri} rel="noreferrer noopener" target="_blank">
            {form.termsUri}
          </a>
        </p>
      )}
      {hash && form.terms && <Say kind={hash === form.terms ? "good" : "bad"}>{t(hash === form.terms ? "terms_same" : "terms_other")}</Say>}
      {text && (
        <pre class="terms" tabIndex={0}>
          {text}
        </pre>
      )}
      {!form.termsText && (form.terms || take) && (
        <label class="button">
          {t("choose_terms")}
          <input class="unseen" type="file" onChange={(event) => void read(event.currentTarget.files?.[0])} />
        </label>
      )}
    </div>
  );
}
