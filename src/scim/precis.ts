import bidiFactory from 'bidi-js';

const ascii = /^[\0-\x7f]*$/;

/**
 * Maps a user name to the form in which user names are compared: width mapping, lower case, NFC (RFC 8265 section 3.3).
 * @param text any text, valid as a user name or not
 * @returns the mapped text; mapping it again changes nothing
 */
export function mapUsername(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  // One code point at a time: String.toLowerCase makes a capital sigma depend on its neighbours.
  const lowerCase = Array.from(mapWidth(text), (char) => char.toLowerCase());
  return toNfc(lowerCase.join(''));
}

/**
 * Checks that a text is a user name: a UsernameCaseMapped string (RFC 8265 section 3.3) of userparts between spaces
 * (section 3.1). The text is mapped first, so a user name need not be given in the form in which it is compared.
 * @returns undefined when it is, else the reason why not, to go behind "…: " in a detail; it holds one code point of the
 *   text at most
 */
export function checkUsername(text: string): string | undefined {
  const username = mapUsername(text);
  if (username === '') return 'it is empty';
  if (username.startsWith(' ') || username.endsWith(' ')) return 'it starts or ends with a space';
  for (const userpart of username.split(/ +/)) {
    const reason = checkUserpart(userpart);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/**
 * Prepares a password: an OpaqueString (RFC 8265 section 4.2), in which every space is U+0020 and the rest is NFC.
 * @returns the prepared text; undefined when it is empty or holds a code point that the FreeformClass does not allow
 *   (RFC 8264 section 4.3)
 */
export function prepareOpaqueString(text: string): string | undefined {
  const prepared = toNfc(text.replace(/\p{Zs}/gu, ' '));
  const valid = prepared !== '' && Array.from(prepared).every(isFreeform) && outOfContext(prepared) === undefined;
  return valid ? prepared : undefined;
}

/**
 * Normalizes to NFC in linear time (RFC 8264 section 5.2.4). A text with 64 combining marks in a row, which no language
 * writes, is returned as it is: to sort the marks of one run takes quadratic time, minutes for a megabyte.
 */
export function toNfc(text: string): string {
  return /\p{M}{64}/u.test(text) ? text : text.normalize('NFC');
}

function checkUserpart(userpart: string): string | undefined {
  const chars = Array.from(userpart);
  const disallowed = chars.find((char) => !isIdentifier(char));
  if (disallowed !== undefined) return `it contains ${codePoint(disallowed)}, which RFC 8265 does not allow`;
  const misplaced = outOfContext(userpart);
  if (misplaced !== undefined) return `it contains ${codePoint(misplaced)} where RFC 5892 does not allow it`;
  return followsBidiRule(chars) ? undefined : 'its writing directions are mixed in a way RFC 5893 does not allow';
}

const codePoint = (char: string): string =>
  `U+${Number(char.codePointAt(0)).toString(16).toUpperCase().padStart(4, '0')}`;

const halfOrFullWidth = /[\u3000\uff01-\uffee]/g;

// Width mapping decomposes by one step, NFKC by all: that differs for the macron and the Hangul letters.
const oneStep = new Map<string, string>();
for (const char of ['\u00af', ...Array.from({ length: 52 }, (_, index) => String.fromCodePoint(0x3131 + index))]) {
  oneStep.set(char.normalize('NFKC'), char);
}

function mapWidth(text: string): string {
  return text.replace(halfOrFullWidth, (char) => {
    const decomposed = char.normalize('NFKC');
    return oneStep.get(decomposed) ?? decomposed;
  });
}

// ASCII7 (RFC 8264 section 9.11), and the exceptions of RFC 5892 section 2.6 that are valid, if only in some context.
const exceptionallyValid =
  /[!-~\u00df\u03c2\u06fd\u06fe\u0f0b\u3007\u00b7\u0375\u05f3\u05f4\u30fb\u0660-\u0669\u06f0-\u06f9]|\p{Join_Control}/u;
// The exceptions that are disallowed, OldHangulJamo and PrecisIgnorableProperties (RFC 8264 sections 9.6, 9.9, 9.13).
const exceptionallyDisallowed =
  /[\u302e\u302f\u0640\u07fa\u3031-\u3035\u303b\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb\p{Default_Ignorable_Code_Point}]/u;
const letterDigit = /[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u;
const letterDigitSpaceSymbolPunctuation = /[\p{L}\p{M}\p{N}\p{Zs}\p{S}\p{P}]/u;

/** Whether a code point is in the IdentifierClass (RFC 8264 section 4.2), context aside. */
function isIdentifier(char: string): boolean {
  const hasCompat = char.normalize('NFKC') !== char;
  return exceptionallyValid.test(char) || (letterDigit.test(char) && !exceptionallyDisallowed.test(char) && !hasCompat);
}

/** Whether a code point is in the FreeformClass (RFC 8264 section 4.3), context aside. */
function isFreeform(char: string): boolean {
  return (
    exceptionallyValid.test(char) ||
    (letterDigitSpaceSymbolPunctuation.test(char) && !exceptionallyDisallowed.test(char))
  );
}

// Joining_Type has no property escape: these are the cursive scripts in use today, and their letters that are not D.
const cursiveLetter =
  /(?=[\p{Ll}\p{Lu}\p{Lo}\u1843])[\p{sc=Arab}\p{sc=Syrc}\p{sc=Mand}\p{sc=Nkoo}\p{sc=Mong}\p{sc=Adlm}\p{sc=Rohg}]/u;
const nonJoining = /[\u0621\u0674\u0861\u0866\u0883-\u0885\u0887\u08ad\u1880-\u1884\ufb50-\ufefc\u{1ee00}-\u{1eebb}]/u;
const leftJoining = /\u{10d00}/u;
const rightJoining = new RegExp(
  String.raw`[\u0622-\u0625\u0627\u0629\u062f-\u0632\u0648\u0671-\u0673\u0675-\u0677\u0688-\u0699\u06c0\u06c3-\u06cb` +
    String.raw`\u06cd\u06cf\u06d2\u06d3\u06d5\u06ee\u06ef\u0759-\u075b\u076b\u076c\u0771\u0773\u0774\u0778\u0779` +
    String.raw`\u0870-\u0882\u088e\u08aa-\u08ac\u08ae\u08b1\u08b2\u08b9\u{10ec2}` +
    String.raw`\u0710\u0715-\u0719\u071e\u0728\u072a\u072c\u072f\u074d\u0867\u0869\u086a` +
    String.raw`\u0840\u0846\u0847\u0849\u0854\u0856-\u0858\u{10d22}]`,
  'u',
);

/** Whether U+200C between two code points keeps them from joining (RFC 5892 appendix A.1). */
function wouldJoin(left: string, right: string): boolean {
  const joins = (char: string): boolean => cursiveLetter.test(char) && !nonJoining.test(char);
  return joins(left) && !rightJoining.test(left) && joins(right) && !leftJoining.test(right);
}

// A joiner, the code point before it, and those on both sides that are not transparent (Joining_Type T).
const joiner = /[\u200c\u200d](?<=(.?).)(?<=(.?)[\p{Mn}\p{Me}]*.)(?=[\p{Mn}\p{Me}]*(.?))/gsu;
// U+00B7 between two l, U+0375 before Greek, U+05F3 and U+05F4 behind Hebrew: where they are not.
const apart = /(?<!l)\u00b7|\u00b7(?!l)|\u0375(?!\p{sc=Grek})|(?<!\p{sc=Hebr})[\u05f3\u05f4]/u;
const japanese = /[\p{sc=Hira}\p{sc=Kana}\p{sc=Han}]/u;

/** Finds a code point that needs a context it does not have (RFC 5892 appendix A). */
function outOfContext(text: string): string | undefined {
  for (const found of text.matchAll(joiner)) {
    // Each group of the pattern matches, if only nothing.
    const [char, before, left, right] = found as unknown as [string, string, string, string];
    if (!isVirama(before) && !(char === '\u200c' && wouldJoin(left, right))) return char;
  }
  return (
    apart.exec(text)?.[0] ??
    (japanese.test(text) ? undefined : /\u30fb/.exec(text)?.[0]) ??
    (/[\u06f0-\u06f9]/.test(text) ? /[\u0660-\u0669]/.exec(text)?.[0] : undefined)
  );
}

/** Whether a code point in NFC has combining class 9: it moves before a mark of class 10 and behind one of class 8. */
function isVirama(char: string): boolean {
  const reorders = (text: string): boolean => text.normalize('NFC') !== text;
  return reorders(`\u05b0${char}`) && reorders(`${char}\u3099`);
}

const bidi = bidiFactory();
const rightToLeft = new Set(['R', 'AL', 'AN']);
const first = new Set<string | undefined>(['R', 'AL']);
const last = new Set<string | undefined>(['R', 'AL', 'EN', 'AN']);

/** Whether a userpart has no right-to-left code point, or follows the Bidi Rule (RFC 5893 section 2). */
function followsBidiRule(chars: string[]): boolean {
  const classes = chars.map((char) => bidi.getBidiCharTypeName(char));
  if (!classes.some((name) => rightToLeft.has(name))) return true;
  return (
    first.has(classes[0]) &&
    last.has(classes.findLast((name) => name !== 'NSM')) &&
    // Of the classes that the rule leaves out here, L is the only one with code points in the IdentifierClass.
    !classes.includes('L') &&
    !(classes.includes('EN') && classes.includes('AN'))
  );
}
