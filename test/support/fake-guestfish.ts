// A guestfish over a tree of files on one ext4 file system without partitions, as far as knib asks: it answers like the real one, and
// writes to the host only what it is told to.
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import type { Answer, StartGuestfish } from "../../apps/host-daemon/src/files/guestfish.ts";

export type FakeGuestFile = {
	/** With the type, as `st_mode` has it; a plain file of mode 0644 unless told otherwise. */
	readonly mode?: number;
	/** Of a plain file. */
	readonly content?: string;
	/** Size that is claimed; the content's unless told otherwise. */
	readonly size?: number;
	readonly target?: string;
};
/** Raw absolute paths; directories must be named, but for the root. */
export type FakeGuestTree = Readonly<Record<string, FakeGuestFile>>;

export const DIRECTORY: FakeGuestFile = { mode: 0o040755 };
const PLAIN = 0o100644;

const bytesOf = (word: string): string =>
	Buffer.from(word, "utf8")
		.toString("latin1")
		.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
			String.fromCharCode(Number.parseInt(hex, 16)),
		);

const wordsOf = (line: string): readonly string[] =>
	[...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, inside, bare]) => bytesOf(inside ?? bare ?? ""));

const answer = (...lines: readonly string[]): Answer => ({ lines, errors: "" });
const failure = (words: string): Answer => ({ lines: [], errors: `libguestfs: error: ${words}\n` });

const statOf = (file: FakeGuestFile): Answer =>
	answer(
		`st_mode: ${file.mode ?? PLAIN}`,
		`st_size: ${file.size ?? file.content?.length ?? 0}`,
		"st_mtime_sec: 1767323045",
	);

const namesIn = (tree: FakeGuestTree, path: string): string => {
	const below = path === "/" ? "/" : `${path}/`;
	const names = Object.keys(tree).flatMap((at) => {
		const name = at.startsWith(below) ? at.slice(below.length) : "";
		return name === "" || name.includes("/") ? [] : [`${name}\0`];
	});
	return names.join("");
};

const answering = (
	treeOf: (layer: string) => FakeGuestTree,
	asked: string[],
): ((line: string) => Promise<Answer>) => {
	let tree: FakeGuestTree = {};
	return async (line) => {
		asked.push(line);
		const [command = "", path = "", local = ""] = wordsOf(line);
		const file = tree[path];
		switch (command) {
			case "add-drive":
				tree = { "/": DIRECTORY, ...treeOf(path) };
				return answer();
			case "checksum":
				return answer(
					createHash("sha256")
						.update(tree[local]?.content ?? "")
						.digest("hex"),
				);
			case "list-devices":
				return answer("/dev/sda");
			case "list-filesystems":
				return answer("/dev/sda: ext4");
			case "blockdev-getsize64":
				return answer("8388608");
			case "lstatns":
				return file === undefined ? failure("No such file or directory") : statOf(file);
			case "readlink":
				return file?.target === undefined ? failure("Invalid argument") : answer(file.target);
			case "ls0":
				await writeFile(local, namesIn(tree, path), "latin1");
				return answer();
			case "download":
				if (file?.content !== undefined) await writeFile(local, file.content, "latin1");
				return answer();
			default:
				return answer();
		}
	};
};

/** Starts such guestfishes over one tree, or over one for each layer by its path; `asked` collects what they are asked. */
export const fakeGuestfish =
	(
		files: FakeGuestTree | ((layer: string) => FakeGuestTree),
		asked: string[] = [],
	): StartGuestfish =>
	() => ({
		ask: answering(typeof files === "function" ? files : () => files, asked),
		close: async () => void asked.push("exit"),
	});
