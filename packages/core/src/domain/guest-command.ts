// The command of a validation: its arguments as a user writes them, and whether its result is the expected one (SPEC 5.3).
import { KnibError } from "../errors.ts";
import type { GuestExec } from "../ports.ts";

const PIECE = /'[^']*'|"(?:\\["\\]|[^"])*"|\\[\s\S]|\\$|[^\s'"\\]+/u;
const WORD = new RegExp(`(?:${PIECE.source})+`, "gu");

const unquote = (piece: string): string => {
	if (piece.startsWith("'")) return piece.slice(1, -1);
	if (piece.startsWith('"')) return piece.slice(1, -1).replace(/\\(["\\])/g, "$1");
	return piece.startsWith("\\") && piece.length > 1 ? piece.slice(1) : piece;
};

/** Splits arguments as a shell would, without any expansion: spaces separate, quotes group, a backslash takes the next character as it is (inside double quotes only `"` and `\`). Throws SETTING_INVALID on a quote that is not closed. */
export const splitArguments = (text: string): readonly string[] => {
	if (text.replace(WORD, "").trim() !== "") {
		throw new KnibError("SETTING_INVALID", `a quote in ${JSON.stringify(text)} is not closed`);
	}
	const pieces = new RegExp(PIECE.source, "gu");
	return (text.match(WORD) ?? []).map((word) => (word.match(pieces) ?? []).map(unquote).join(""));
};

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Base64 of bytes, with padding (RFC 4648, section 4). */
export const toBase64 = (bytes: Uint8Array): string => {
	let text = "";
	for (let at = 0; at < bytes.length; at += 3) {
		const [a = 0, b, c] = bytes.subarray(at, at + 3);
		const group = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
		text += ALPHABET.charAt(group >> 18) + ALPHABET.charAt((group >> 12) & 63);
		text += b === undefined ? "=" : ALPHABET.charAt((group >> 6) & 63);
		text += c === undefined ? "=" : ALPHABET.charAt(group & 63);
	}
	return text;
};

const CONTROL = /[^\P{C}\n\t]|[\u2028\u2029]/gu;

/** Text of a guest as it may be kept and shown: control and invisible characters but line feed and tab as `\u{…}` (I9). */
export const escapeControl = (text: string): string =>
	text.replace(CONTROL, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);

/** The expected result that stands for "exit code 0, whatever is printed". */
export const EXPECT_SUCCESS = "0";

const endOf = (exec: GuestExec): string =>
	exec.signal === null ? `exit code ${exec.exitCode ?? "unknown"}` : `signal ${exec.signal}`;

/** Whether a command's result is the expected one: `0` means exit code 0; anything else must equal the base64 of stdout exactly, whatever the exit code. */
export const judgeCommand = (
	exec: GuestExec,
	expected: string,
): { readonly ok: boolean; readonly message: string } => {
	if (expected === EXPECT_SUCCESS) {
		return { ok: exec.exitCode === 0, message: `the command ended with ${endOf(exec)}` };
	}
	if (exec.truncated) {
		return { ok: false, message: "the command printed more than any expected text can be" };
	}
	const got = toBase64(exec.stdout);
	if (got === expected) return { ok: true, message: "the output is the expected one" };
	return {
		ok: false,
		message: `the output is not the expected one (base64 ${shorten(got)}; expected ${shorten(expected)}); ${endOf(exec)}`,
	};
};

const SHOWN = 80;
const shorten = (text: string): string =>
	text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}… of ${text.length} characters`;
