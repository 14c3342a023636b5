// What `knib selector` takes and prints.
import { z } from "zod";
import { selectorConditionSchema, selectorSchema } from "../domain/selector.ts";
import type { ErrorView } from "../errors.ts";

const argument = z.string().min(1).max(500);
const dryRun = z.boolean().default(false);
const fields = selectorSchema.shape;

/** Conditions as the user writes them: hosts and offerings by name or id. */
const match = z.array(selectorConditionSchema).min(1).max(32);

export const selectorCreateInputSchema = z.strictObject({
	name: fields.name,
	match,
	/** Name or id. */
	repository: argument,
	priority: fields.priority.default(100),
	dryRun,
});
export type SelectorCreateInput = z.infer<typeof selectorCreateInputSchema>;

/** What is absent stays as it is; `match` takes the place of all conditions. */
export const selectorChangesSchema = z.strictObject({
	name: fields.name.optional(),
	match: match.optional(),
	repository: argument.optional(),
	priority: fields.priority.optional(),
});
export type SelectorChanges = z.infer<typeof selectorChangesSchema>;
export const selectorUpdateInputSchema = z.strictObject({
	selector: argument,
	changes: selectorChangesSchema,
	dryRun,
});
export const selectorDeleteInputSchema = z.strictObject({ selector: argument, dryRun });

/** `name` is null where nothing of that id is known any more. */
export type SelectorView = {
	readonly id: string;
	readonly name: string;
	readonly priority: number;
	/** `name=web*` and the like, hosts and offerings by name. */
	readonly match: readonly string[];
	/** `here`: this host has it. */
	readonly repository: {
		readonly id: string;
		readonly name: string | null;
		readonly here: boolean;
	};
	readonly createdAt: string;
};

/** Where a VM's next chain goes and what every selector says of it, in the order in which they are asked. */
export type SelectorExplained = {
	readonly vm: { readonly uuid: string; readonly name: string; readonly tags: readonly string[] };
	readonly offering: { readonly id: string; readonly name: string };
	readonly selectors: readonly (SelectorView & {
		readonly matches: boolean;
		/** One line a condition. */
		readonly why: readonly string[];
	})[];
	readonly repository: { readonly id: string; readonly name: string } | null;
	/** Why that one; null where there is none. */
	readonly reason: string | null;
	/** Why there is none. */
	readonly error: ErrorView | null;
	/** A chain that is open stays where it is until it ends. */
	readonly openChain: { readonly id: string; readonly repository: string } | null;
};
