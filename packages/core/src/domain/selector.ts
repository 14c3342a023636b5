// Rules that choose the repository of a VM's next chain (SPEC 2.3). They are shared by all hosts.
import { z } from "zod";
import { KnibError } from "../errors.ts";
import { instantSchema, uuidSchema } from "./ids.ts";

/** What a condition looks at: the VM's name (a pattern), a tag in its definition's metadata, the host that it is on, the offering that it is under. */
export const selectorKeySchema = z.enum(["name", "tag", "host", "offering"]);
export type SelectorKey = z.infer<typeof selectorKeySchema>;

const text = z
	.string()
	.min(1)
	.max(200)
	.regex(/^[^\p{C}]+$/u, "no control characters");

export const selectorConditionSchema = z.strictObject({
	by: selectorKeySchema,
	/** A name pattern, a tag, the id of a host, or the id of an offering. */
	value: text,
});
export type SelectorCondition = z.infer<typeof selectorConditionSchema>;

export const selectorSchema = z.strictObject({
	id: uuidSchema,
	name: text,
	/** All of them must hold. */
	match: z.array(selectorConditionSchema).min(1).max(32),
	/** Id of the repository that it chooses. */
	repository: uuidSchema,
	/** Smaller ones are asked first. */
	priority: z.number().int().min(0).max(1_000_000),
	createdAt: instantSchema,
});
export type Selector = z.infer<typeof selectorSchema>;

/** Selectors are kept among the repositories, under ids that begin so. */
export const SELECTOR_PREFIX = "selector:";

/** True for the id of a document, of kind `repository`, that is a selector. */
export const isSelectorId = (documentId: string): boolean => documentId.startsWith(SELECTOR_PREFIX);

/** The order in which selectors are asked, the same on every host. */
export const inSelectorOrder = (selectors: readonly Selector[]): readonly Selector[] =>
	selectors.toSorted((a, b) => {
		if (a.priority !== b.priority) return a.priority - b.priority;
		const [left, right] = a.name === b.name ? [a.id, b.id] : [a.name, b.name];
		return left < right ? -1 : 1;
	});

/** `tag=prod` as a condition. Throws USAGE with the accepted form. */
export const parseCondition = (given: string): SelectorCondition => {
	const at = given.indexOf("=");
	const by = selectorKeySchema.safeParse(given.slice(0, Math.max(at, 0)));
	const value = text.safeParse(given.slice(at + 1));
	if (at > 0 && by.success && value.success) return { by: by.data, value: value.data };
	const keys = selectorKeySchema.options.map((key) => `${key}=…`).join(", ");
	throw new KnibError("USAGE", `${JSON.stringify(given)} is no condition`, {
		details: { hint: `the conditions are ${keys}, up to 200 characters, such as name=web*` },
	});
};
