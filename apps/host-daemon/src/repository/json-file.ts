import type { z } from "zod";
import type { RepositoryFiles } from "./files.ts";

/** The value of a JSON file, or in words why it cannot be trusted; undefined when there is no file. */
export type JsonFile<T> = { readonly value: T } | { readonly problem: string } | undefined;

const parseJson = (text: string): { readonly value: unknown } | undefined => {
	try {
		return { value: JSON.parse(text) };
	} catch {
		return undefined;
	}
};

/** A text as JSON of a schema. Its problem names the first thing that is wrong. */
export const parseJsonText = <T>(
	text: string,
	schema: z.ZodType<T>,
): { readonly value: T } | { readonly problem: string } => {
	const json = parseJson(text);
	if (json === undefined) return { problem: "is not JSON" };
	const parsed = schema.safeParse(json.value);
	if (parsed.success) return { value: parsed.data };
	const issue = parsed.error.issues[0];
	const where = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
	return { problem: `is not as knib writes it${where}: ${issue?.message ?? "unknown"}` };
};

/** Reads a JSON file of a schema. Rejects only when the file system does not answer or the file is of a kind that is not read. */
export const readJson = async <T>(
	files: Pick<RepositoryFiles, "readText">,
	path: string,
	schema: z.ZodType<T>,
): Promise<JsonFile<T>> => {
	const text = await files.readText(path);
	return text === undefined ? undefined : parseJsonText(text, schema);
};

/** How knib writes a JSON file: indented, since people read them, and ended by a line feed. */
export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
