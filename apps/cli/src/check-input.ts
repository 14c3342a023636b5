import { KnibError } from "@knib/core";
import type { z } from "zod";

/** What flags say, checked by the schema that the daemon uses too. Throws USAGE. */
export const checked = <T>(schema: z.ZodType<T>, given: unknown): T => {
	const result = schema.safeParse(given);
	if (result.success) return result.data;
	const words = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
	throw new KnibError("USAGE", words.join("; "), { cause: result.error });
};
