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

/** Kind of the alert that stands while nothing may be deleted on account of time. */
export const CLOCK_ALERT = "clock not believable";

/** Kind of the alert that stands while peers know this host by another key than its own. */
export const KEY_ALERT = "key replaced";

/** Told of an alert that has changed, in words. */
export type AlertListener = (alert: Pick<AlertBody, "vm" | "backup" | "text">) => void;

type Deps = {
	readonly alerts: Documents<AlertBody>;
	readonly host: { readonly name: string };
	readonly now: () => string;
	/** Told when an alert is raised, says something else, or is over. */
	readonly onChange?: AlertListener | undefined;
};

/** The alerts of this host. */
export const createAlertBook = ({ alerts, host, now, onChange }: Deps) => {
	/** Raises an alert, or takes it back with a null text; a repeated one only moves its time on. */
	const change = async (
		alert: Pick<AlertBody, "id" | "kind" | "vm" | "backup">,
		text: string | null,
	): Promise<void> => {
		const before = await alerts.get(alert.id);
		if (text === null) {
			if (before === undefined) return;
			await alerts.remove([alert.id]);
			onChange?.({ ...alert, text: `${alert.kind}: over` });
			return;
		}
		const at = now();
		await alerts.put({ ...alert, text, host: host.name, since: before?.since ?? at, at });
		if (before?.text !== text) onChange?.({ ...alert, text: `${alert.kind}: ${text}` });
	};
	return {
		set: ({ kind, backup, vm, text }: BackupAlert): Promise<void> =>
			change({ id: `${kind.replaceAll(" ", "-")}:${backup}`, kind, vm: { ...vm }, backup }, text),
		/** Raises what concerns the whole host, or takes it back with a null text. */
		setHost: (kind: string, text: string | null): Promise<void> =>
			change(
				{ id: `${kind.replaceAll(" ", "-")}:${host.name}`, kind, vm: null, backup: null },
				text,
			),
		/** Raises what concerns a VM as a whole, or takes it back with a null text. */
		setVm: (
			kind: string,
			vm: { readonly uuid: string; readonly name: string },
			text: string | null,
		): Promise<void> =>
			change(
				{
					id: `${kind.replaceAll(" ", "-")}:${vm.uuid}`,
					kind,
					vm: { uuid: vm.uuid, name: vm.name },
					backup: null,
				},
				text,
			),
		all: (): Promise<readonly AlertBody[]> => alerts.all(),
	};
};
export type AlertBook = ReturnType<typeof createAlertBook>;
