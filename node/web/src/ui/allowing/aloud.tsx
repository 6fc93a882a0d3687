// Reading aloud, by a voice of this device that speaks the language of the page. A voice that works elsewhere
// would tell a third party what somebody is about to sign, so it is not used.

import { useEffect, useState } from "preact/hooks";

import { language, t } from "../../i18n.js";

const speech = (): SpeechSynthesis | undefined => (window as { speechSynthesis?: SpeechSynthesis }).speechSynthesis;
const languageOf = (voice: SpeechSynthesisVoice): string => voice.lang.split(/[-_]/)[0]!.toLowerCase();

function findVoice(): SpeechSynthesisVoice | null {
  const voices = speech()?.getVoices() ?? [];
  return voices.find((one) => one.localService && languageOf(one) === language) ?? null;
}

/** The voice for the language of the page; null where the device has none. Browsers find voices late. */
function useVoice(): SpeechSynthesisVoice | null {
  const [voice, setVoice] = useState(findVoice);
  useEffect(() => {
    const heard = () => setVoice(findVoice());
    heard();
    speech()?.addEventListener("voiceschanged", heard);
    return () => speech()?.removeEventListener("voiceschanged", heard);
  }, [language]);
  return voice;
}

export function ReadAloud({ sentences }: { sentences: string[] }) {
  const voice = useVoice();
  const [speaking, setSpeaking] = useState(false);
  useEffect(() => () => speech()?.cancel(), []);
  if (!voice) return null;
  const stop = () => (speech()?.cancel(), setSpeaking(false));
  const start = () => {
    speech()?.cancel();
    setSpeaking(true);
    // One after another, because some browsers fall silent within a long text.
    for (const [at, sentence] of sentences.entries()) {
      const one = new SpeechSynthesisUtterance(sentence);
      Object.assign(one, { voice, lang: voice.lang });
      if (at === sentences.length - 1) one.onend = () => setSpeaking(false);
      speech()?.speak(one);
    }
  };
  return (
    <button type="button" onClick={speaking ? stop : start}>
      {t(speaking ? "aloud_stop" : "aloud")}
    </button>
  );
}
