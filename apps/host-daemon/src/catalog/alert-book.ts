import { uuidSchema } from "@knib/core";
import { z } from "zod";
import type { Documents } from "./documents.ts";

/** Something that an operator should look at; gone when it no longer holds. `id` names kind and subject, so that it is raised once. */
export const alertBodySchema = z.object({
	id: z.string(),
	kind: z.string(),
	text: z.string(),
	vm: z.object({ uuid: uuidSchema, name: z.string() }).nullable(),
	backup: uuidSchema.nullable(),
	host: z.string(),
	/** When it was raised first, and last. */
	since: z.string(),
	at: z.string(),
});
export type AlertBody = z.infer<typeof alertBodySchema>;

/** What is raised about a backup, or taken back with a null text. */
export type BackupAlert = {
	readonly kind: "not valid" | "unable to validate";
	readonly backup: string;
	readonly vm: { readonly uuid: string; readonly name: string };
	readonly text: string | null;
};

type Deps = {
	readonly alerts: Documents<AlertBody>;
	readonly host: { readonly name: string };
	readonly now: () => string;
};

/** The alerts of this host. */
export const createAlertBook = ({ alerts, host, now }: Deps) => ({
	set: async ({ kind, backup, vm, text }: BackupAlert): Promise<void> => {
		const id = `${kind.replaceAll(" ", "-")}:${backup}`;
		const before = await alerts.get(id);
		if (text === null) {
			if (before !== undefined) await alerts.remove([id]);
			return;
		}
		const at = now();
		const since = before?.since ?? at;
		await alerts.put({ id, kind, text, vm: { ...vm }, backup, host: host.name, since, at });
	},
	/** Raises what concerns the whole host, or takes it back with a null text. */
	setHost: async (kind: string, text: string | null): Promise<void> => {
		const id = `${kind.replaceAll(" ", "-")}:${host.name}`;
		const before = await alerts.get(id);
		if (text === null) {
			if (before !== undefined) await alerts.remove([id]);
			return;
		}
		const at = now();
		const since = before?.since ?? at;
		await alerts.put({ id, kind, text, vm: null, backup: null, host: host.name, since, at });
	},
	all: (): Promise<readonly AlertBody[]> => alerts.all(),
});
export type AlertBook = ReturnType<typeof createAlertBook>;
