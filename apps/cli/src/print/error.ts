import { safe } from "./text.ts";

/** An error as it is printed; one of a job may have a code of another version. */
export type PrintableError = {
	readonly code: string;
	readonly message: string;
	readonly hint: string;
	readonly details: Readonly<Record<string, unknown>>;
};

const candidatesOf = (error: PrintableError): readonly string[] => {
	const candidates = error.details["candidates"];
	return Array.isArray(candidates) ? candidates.map(String) : [];
};

/** An error for people: what failed and why, then what to do next. */
export const errorText = (error: PrintableError): string =>
	[
		`knib: ${safe(error.message)}`,
		...candidatesOf(error).map((candidate) => `  ${safe(candidate)}`),
		`  next: ${safe(error.hint)}`,
		`  (${error.code})`,
	].join("\n");
