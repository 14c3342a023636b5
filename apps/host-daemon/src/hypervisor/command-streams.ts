// What goes into and comes out of programs: capped, cut into lines, or given as a file without a name.
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Keeps the end of a stream of bytes. */
export const createTail = (limit: number): { push(chunk: Uint8Array): void; text(): string } => {
	let kept = Buffer.alloc(0);
	return {
		push: (chunk) => {
			const all = Buffer.concat([kept, chunk]);
			kept = all.subarray(Math.max(0, all.length - limit));
		},
		text: () => kept.toString("utf8"),
	};
};

/** Keeps the beginning of a stream of bytes and says whether there was more. */
export const createCapture = (
	limit: number,
): { push(chunk: Uint8Array): void; truncated(): boolean; bytes(): Uint8Array } => {
	const chunks: Uint8Array[] = [];
	let size = 0;
	let truncated = false;
	return {
		push: (chunk: Uint8Array): void => {
			const room = limit - size;
			if (chunk.length > room) truncated = true;
			if (room <= 0) return;
			chunks.push(chunk.subarray(0, room));
			size += Math.min(room, chunk.length);
		},
		truncated: () => truncated,
		bytes: () => Buffer.concat(chunks),
	};
};

/** Opens a file that has no name any more and holds `text`: what a program reads as /dev/stdin although it wants a regular file. */
export const openNameless = async (text: string): Promise<FileHandle> => {
	const directory = await mkdtemp(join(tmpdir(), "knib-"));
	try {
		const handle = await open(join(directory, "input"), "wx+", 0o600);
		await handle.writeFile(text);
		return handle;
	} finally {
		await rm(directory, { recursive: true, force: true });
	}
};

/** Gives out whole lines of a stream of bytes. */
export const splitLines = (onLine: (line: string) => void): ((chunk: Uint8Array) => void) => {
	const decoder = new TextDecoder();
	let rest = "";
	return (chunk) => {
		const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
		rest = parts.pop() ?? "";
		for (const line of parts) onLine(line);
	};
};
