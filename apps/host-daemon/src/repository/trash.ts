import { type Clock, KnibError, type PublishedBackup } from "@knib/core";
import { repositoryError } from "./errno.ts";
import { listHolds } from "./holds.ts";
import { backupName } from "./layout.ts";
import { type ChainSource, readChain } from "./read-chain.ts";

/** Name of a backup in the trash. `time` is an ISO instant; the name keeps its digits and sorts by them. */
export const trashName = (time: string, backup: string): string =>
	`${time.replaceAll(/[-:.]/g, "")}-${backup}`;

/** Moves a published backup into the trash by one rename and returns its path there; nothing is unlinked. The caller holds the VM's lease.
 * Rejects with BACKUP_BUSY while the chain is held, and with REFUSED while another member stands on it or the chain cannot be trusted. */
export const moveToTrash = async (
	source: ChainSource,
	clock: Pick<Clock, "now">,
	backup: PublishedBackup,
): Promise<string> => {
	const { layout, files } = source;
	const { identity } = backup.manifest;
	const [hold] = await listHolds(files, layout.holds(identity.vm, identity.chain));
	if (hold !== undefined) {
		throw new KnibError("BACKUP_BUSY", `backup ${identity.id} is in use: ${hold}`);
	}
	const chain = await readChain(source, identity.vm, identity.chain);
	const child = chain.members.find(({ manifest }) => manifest.parent?.id === identity.id);
	const doubt = child === undefined ? chain.problems[0] : `${child.path} stands on it`;
	if (doubt !== undefined) {
		throw new KnibError("REFUSED", `backup ${identity.id} is not removed: ${doubt}`);
	}
	const from = `${layout.chain(identity.vm, identity.chain)}/${backupName(identity)}`;
	const to = `${layout.trash}/${trashName(clock.now(), identity.id)}`;
	await files.makeDirectory(layout.trash);
	await files.move(from, to).catch((thrown: unknown) => {
		throw repositoryError(thrown, `move ${from} into the trash`, "write");
	});
	await files.syncDirectory(layout.trash);
	await files.syncDirectory(layout.chain(identity.vm, identity.chain));
	return to;
};
