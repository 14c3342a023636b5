// Words of guestfish's own little language, in double quotes, where only the backslash and the quote mean something. Paths are raw:
// one character a byte. What is not printable goes as `\xHH`, so no byte of a guest's can end a word or a line.
import { KnibError, textOfBytes } from "@knib/core";

/** guestfish reads a script in pieces of 2 KiB and takes the rest of a longer line for the next command: no line may be as long. */
const LONGEST_LINE = 2000;

const escaped = (bytes: string): string =>
	bytes.replace(/./gs, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);

/** A raw name as one word. */
export const quoted = (raw: string): string => {
	const pieces = raw.split(/(["\\])/);
	const words = pieces.map((piece, index) =>
		index % 2 === 1 ? escaped(piece) : textOfBytes(piece, escaped),
	);
	return `"${words.join("")}"`;
};

/** A file of the host, by its path. */
export const quotedLocal = (path: string): string =>
	quoted(Buffer.from(path, "utf8").toString("latin1"));

/** A command as one line. Throws USAGE when it would be too long. */
export const commandLine = (name: string, ...words: readonly string[]): string => {
	const line = [name, ...words].join(" ");
	if (Buffer.byteLength(line, "utf8") <= LONGEST_LINE && !line.includes("\n")) return line;
	throw new KnibError("USAGE", "the path is too long to be asked for");
};
