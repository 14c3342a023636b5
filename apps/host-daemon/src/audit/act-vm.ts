// Which VM an act is about, so that the trail can be read by VM: the one that it names, or whose backup or chain it names.
import type { AuditEvent } from "@knib/core";

type Named = { readonly vm: AuditEvent["vm"] };

/** The view that knows backups by a part of their id, chains too, and VMs that were backed up by name or uuid. */
export type KnownBackups = {
	list(filter: { readonly vm: string; readonly all: true }): Promise<readonly Named[]>;
	find(text: string): Promise<Named>;
	findChain(text: string): Promise<Named>;
};

const textIn = (fields: object, name: string): string | undefined => {
	const value: unknown = Reflect.get(fields, name);
	return typeof value === "string" ? value : undefined;
};

const namedBy = async (backups: KnownBackups, fields: object): Promise<AuditEvent["vm"]> => {
	const [vm, backup, chain] = ["vm", "backup", "chain"].map((name) => textIn(fields, name));
	if (vm !== undefined) {
		const known = (await backups.list({ vm, all: true })).at(-1)?.vm;
		return known ?? { uuid: vm, name: vm };
	}
	if (backup !== undefined) return (await backups.find(backup)).vm;
	return chain === undefined ? null : (await backups.findChain(chain)).vm;
};

/** Null for an act that is about no VM, or about none that can be told. */
export const vmOfAct = async (backups: KnownBackups, input: unknown): Promise<AuditEvent["vm"]> => {
	if (typeof input !== "object" || input === null) return null;
	const request: unknown = Reflect.get(input, "request");
	const fields = { ...(typeof request === "object" ? request : {}), ...input };
	// What cannot be told must not turn an act that was carried out into one that failed.
	return namedBy(backups, fields).catch(() => null);
};
