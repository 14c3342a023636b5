// Where everything lies in a repository (docs/spec/repository.md). Names only; nothing here touches the file system.
import { type Identity, KnibError, uuidSchema } from "@knib/core";

/** Every JSON file of a repository is smaller than this, bytes; a larger one was not written by knib and is not read. */
export const SMALL_FILE_LIMIT = 1 << 20;

const BACKUP = /^(\d{4,9})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Whether a name is a uuid in its canonical form. */
export const isUuid = (text: string): boolean => uuidSchema.safeParse(text).success;

/** A uuid that becomes part of a path; throws USAGE for anything else. */
const part = (uuid: string): string => {
	if (isUuid(uuid)) return uuid;
	throw new KnibError("USAGE", `${JSON.stringify(uuid)} is not a uuid`);
};

/** Name of a backup's directory: its sequence with at least 4 digits, then its id. */
export const backupName = (identity: Pick<Identity, "sequence" | "id">): string =>
	`${String(identity.sequence).padStart(4, "0")}-${identity.id}`;

/** What a directory's name says of its backup; undefined when it is not the name of one. */
export const parseBackupName = (
	name: string,
): { readonly sequence: number; readonly id: string } | undefined => {
	const [, digits, id] = BACKUP.exec(name) ?? [];
	if (digits === undefined || id === undefined) return undefined;
	const sequence = Number(digits);
	return backupName({ sequence, id }) === name && sequence > 0 ? { sequence, id } : undefined;
};

/** Absolute paths of a repository whose directory is `root`. */
export const layoutOf = (root: string) => {
	const chain = (vm: string, id: string): string => `${root}/vms/${part(vm)}/${part(id)}`;
	return {
		root,
		identity: `${root}/knib-repository.json`,
		readme: `${root}/README.txt`,
		vms: `${root}/vms`,
		incoming: `${root}/incoming`,
		trash: `${root}/trash`,
		vm: (vm: string): string => `${root}/vms/${part(vm)}`,
		chain,
		holds: (vm: string, id: string): string => `${chain(vm, id)}/holds`,
		backup: (identity: Identity): string =>
			`${chain(identity.vm, identity.chain)}/${backupName({ ...identity, id: part(identity.id) })}`,
		incomingBackup: (id: string): string => `${root}/incoming/${part(id)}`,
	};
};
export type Layout = ReturnType<typeof layoutOf>;
