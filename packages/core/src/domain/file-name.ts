// Names of files in a guest, which are bytes of a hostile origin, and the form in which they are shown and asked for. Raw names are
// strings of one character a byte. Shown ones are text without control characters: a byte that is no part of a printable character
// is `\xHH`, a backslash is `\\`. Whatever is shown is accepted as an argument and names the same file (I9).
import { KnibError } from "../errors.ts";
import { safe } from "../text.ts";

// One character of UTF-8 (RFC 3629, section 4) of more than one byte, or else one byte, whatever it is.
const CHARACTER =
	/[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|./gs;

const hex = (byte: string): string => byte.charCodeAt(0).toString(16).padStart(2, "0");
const percent = (bytes: string): string => bytes.replace(/./gs, (byte) => `%${hex(byte)}`);
const escapes = (bytes: string): string => bytes.replace(/./gs, (byte) => `\\x${hex(byte)}`);

/** Text where the bytes are printable, with each other byte as `escaped` gives it. */
export const textOfBytes = (raw: string, escaped: (bytes: string) => string): string =>
	raw.replace(CHARACTER, (bytes) => {
		if (bytes.length === 1 && bytes > "\x7e") return escaped(bytes);
		const text = decodeURIComponent(percent(bytes));
		return safe(text) === text ? text : escaped(bytes);
	});

/** A raw name or path as it is shown. */
export const shownName = (raw: string): string =>
	textOfBytes(raw.replaceAll("\\", "\\\\"), escapes);

const bytesOf = (character: string): string =>
	encodeURIComponent(character).replace(/%([0-9A-F]{2})/g, (_, digits: string) =>
		String.fromCharCode(Number.parseInt(digits, 16)),
	);

/** The raw form of a shown name or path. Throws USAGE for a backslash that escapes nothing and for text that has no bytes. */
export const rawName = (shown: string): string =>
	shown.replace(/\\x([0-9a-fA-F]{2})|\\(\\)|\\|\p{Cs}|[^\\]/gu, (match, digits, backslash) => {
		if (typeof digits === "string") return String.fromCharCode(Number.parseInt(digits, 16));
		if (backslash === "\\") return "\\";
		if (match === "\\" || /^\p{Cs}$/u.test(match)) {
			throw new KnibError("USAGE", `${safe(shown)} is no path: a backslash is written as \\\\`);
		}
		return bytesOf(match);
	});

/** The longest path that is asked for, bytes. */
const LONGEST_PATH = 1500;

/** A path in a guest's file system as raw components, from what a user writes. Throws USAGE for what is no path, REFUSED for `..`. */
export const guestPath = (shown: string): readonly string[] => {
	const raw = rawName(shown);
	if (raw === "" || raw.includes("\0")) {
		throw new KnibError("USAGE", `${JSON.stringify(shown)} is no path`);
	}
	if (raw.length > LONGEST_PATH) {
		throw new KnibError("USAGE", `a path of ${raw.length} bytes is longer than ${LONGEST_PATH}`);
	}
	const parts = raw.split("/").filter((part) => part !== "" && part !== ".");
	if (!parts.includes("..")) return parts;
	throw new KnibError("REFUSED", `${safe(shown)} leads through \`..\``, {
		details: { hint: "name the file by its path from the root of its file system" },
	});
};

/** Components as an absolute raw path. */
export const absolutePath = (parts: readonly string[]): string => `/${parts.join("/")}`;
