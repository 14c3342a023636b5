// Changes values of a LevelDB below whoever wrote it.
import { createRequire } from "node:module";
import { promisify } from "node:util";

type Entry = readonly [key: Buffer, value: Buffer];
type Callback = (error?: Error | null) => void;

/** What leveldown has besides what knib uses of it. */
type RawLevel = {
	open(callback: Callback): void;
	put(key: Buffer, value: string, callback: Callback): void;
	close(callback: Callback): void;
	iterator(): { [Symbol.asyncIterator](): AsyncIterator<Entry>; end(callback: Callback): void };
};

const leveldown = createRequire(import.meta.url)("leveldown") as (directory: string) => RawLevel;

/** Writes what `change` makes of each value, unless that is undefined; how many were written. */
export const rewriteLevel = async (
	directory: string,
	change: (value: string) => string | undefined,
): Promise<number> => {
	const level = leveldown(directory);
	await promisify(level.open.bind(level))();
	let written = 0;
	for await (const [key, value] of level.iterator()) {
		const changed = change(String(value));
		if (changed === undefined) continue;
		await promisify(level.put.bind(level))(key, changed);
		written += 1;
	}
	await promisify(level.close.bind(level))();
	return written;
};
