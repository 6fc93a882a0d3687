// An error whose message is already a sentence in the person's language.

export class Said extends Error {}
