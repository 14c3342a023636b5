// How far this host knows its peers' keys to have come. It only ever goes on: what is shorter, or branches off, is of somebody who has a
// key that the host has left, whoever that is.
import { readFile } from "node:fs/promises";
import { continues, keyNumber } from "@knib/core";
import { z } from "zod";
import { writeStateFile } from "../state-file.ts";

const fileSchema = z.record(z.string(), z.string());

type Shown = { readonly host: string; readonly succession: string };

/** What is known of the keys of peers, kept over restarts. */
export type KeyBook = {
	/** The succession that is known of a host; undefined when nobody has shown one. */
	readonly known: (host: string) => string | undefined;
	/** The succession that is known when what a host shows is not that, and does not go on from it. */
	readonly newer: (shown: Shown) => string | undefined;
	/** Takes up a proven succession; true when it goes on from the one that was known. */
	readonly learn: (shown: Shown) => boolean;
	/** Resolves when all that was learnt is written. */
	readonly saved: () => Promise<void>;
};

const read = async (path: string, onProblem: (error: unknown) => void) => {
	try {
		return fileSchema.parse(JSON.parse(await readFile(path, "utf8")));
	} catch (error) {
		const isNew = error instanceof Error && "code" in error && error.code === "ENOENT";
		// The members' documents and the next links say it again.
		if (!isNew) onProblem(error);
		return {};
	}
};

/** Reads the file of an earlier life, if there is one. */
export const openKeyBook = async (
	path: string,
	onProblem: (error: unknown) => void,
): Promise<KeyBook> => {
	const known = new Map(Object.entries(await read(path, onProblem)));
	let turn: Promise<void> = Promise.resolve();
	const save = (): void => {
		turn = turn.then(() => writeStateFile(path, Object.fromEntries(known))).catch(onProblem);
	};
	return {
		known: (host) => known.get(host),
		newer: ({ host, succession }) => {
			const before = known.get(host);
			return before === undefined || continues(succession, before) ? undefined : before;
		},
		learn: ({ host, succession }) => {
			const before = known.get(host);
			// That a host has its first key says nothing.
			if (keyNumber(succession) < 2) return false;
			if (before !== undefined && !continues(succession, before)) return false;
			if (before !== undefined && keyNumber(before) === keyNumber(succession)) return false;
			known.set(host, succession);
			save();
			return true;
		},
		saved: () => turn,
	};
};
