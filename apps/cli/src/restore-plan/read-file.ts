// The file of `knib restore plan`, as TOML or JSON.
import { readFile } from "node:fs/promises";
import { isRefusal, KnibError, type RestorePlanFile, readRestorePlan } from "@knib/core";

const HINT = "see the example in docs/restore-plan.md";

const textOf = async (path: string): Promise<string> => {
	try {
		return await readFile(path, "utf8");
	} catch (thrown) {
		const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
		if (code === "ENOENT") {
			const hint = "give the path of a file that is there";
			throw new KnibError("NOT_FOUND", `there is no file ${path}`, { details: { hint } });
		}
		throw new KnibError("USAGE", `${path} cannot be read: ${code || String(thrown)}`, {
			cause: thrown,
			details: { hint: "give the path of a file that this user may read" },
		});
	}
};

const parsed = async (path: string, text: string): Promise<unknown> => {
	if (path.endsWith(".json")) return JSON.parse(text);
	const { parse } = await import("smol-toml");
	return parse(text);
};

/** What a parser says, with the line that it shows. */
const words = (thrown: unknown): string =>
	(thrown instanceof Error ? thrown.message : String(thrown))
		.split("\n")
		.map((line) => line.trim())
		.filter((line) => line !== "" && !/^\^+$/.test(line))
		.join("; ");

/** Reads and checks the file. Rejects with NOT_FOUND, or with USAGE naming what is wrong in it. */
export const readPlanFile = async (path: string): Promise<RestorePlanFile> => {
	const text = await textOf(path);
	let given: unknown;
	try {
		given = await parsed(path, text);
	} catch (thrown) {
		const kind = path.endsWith(".json") ? "JSON" : "TOML";
		throw new KnibError("USAGE", `${path} is not ${kind}: ${words(thrown)}`, {
			cause: thrown,
			details: { hint: HINT },
		});
	}
	const read = readRestorePlan(given);
	if (!isRefusal(read)) return read;
	throw new KnibError(read.code, `${path}: ${read.message}`, { details: { hint: HINT } });
};
