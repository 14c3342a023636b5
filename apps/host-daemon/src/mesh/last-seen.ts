// When links to peers were last open, kept over restarts. It is for people to read: a file that cannot be read is begun anew.
import { readFile, rename, writeFile } from "node:fs/promises";
import { z } from "zod";

const fileSchema = z.record(z.string(), z.string());

/** When each peer was last connected. */
export type LastSeen = {
	readonly at: (peer: string) => string | null;
	readonly note: (peer: string, at: string) => void;
	/** Writes what was noted. */
	readonly save: () => Promise<void>;
};

/** Reads the file of an earlier life, if there is one. */
export const openLastSeen = async (path: string): Promise<LastSeen> => {
	const text = await readFile(path, "utf8").catch(() => "{}");
	const parse = (): unknown => {
		try {
			return JSON.parse(text);
		} catch {
			return {};
		}
	};
	const times = new Map(Object.entries(fileSchema.safeParse(parse()).data ?? {}));
	let saved = JSON.stringify([...times]);
	return {
		at: (peer) => times.get(peer) ?? null,
		note: (peer, at) => void times.set(peer, at),
		save: async () => {
			const now = JSON.stringify([...times]);
			if (now === saved) return;
			saved = now;
			await writeFile(`${path}.new`, JSON.stringify(Object.fromEntries(times)), { mode: 0o600 });
			await rename(`${path}.new`, path);
		},
	};
};
