import { readFile } from "node:fs/promises";
import { z } from "zod";

/** knib's version, from the package that this file belongs to. */
export const knibVersion = async (): Promise<string> => {
	const text = await readFile(new URL("../package.json", import.meta.url), "utf8");
	return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
};
