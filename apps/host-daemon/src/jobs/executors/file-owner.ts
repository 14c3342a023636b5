import { chmod, chown } from "node:fs/promises";
import process from "node:process";
import { type DiskImages, type FileOwner, KnibError } from "@knib/core";

const isMissing = (error: unknown): boolean =>
	error instanceof Error && "code" in error && error.code === "ENOENT";

/** Gives a new file its owner, mode and ACL, so that qemu can open it where libvirt does not change owners (SAFETY F12). A daemon without root leaves the owner as it is: its libvirt runs qemu as the same user. A file that is not there is left to the check that follows. Rejects with REFUSED when the owner cannot be given. Repeatable. */
export const takeOwner = async (
	images: DiskImages,
	path: string,
	{ uid, gid, mode, like }: FileOwner,
): Promise<void> => {
	try {
		await chmod(path, mode);
		if (process.getuid?.() === 0) await chown(path, uid, gid);
	} catch (error) {
		if (isMissing(error)) return;
		throw new KnibError("REFUSED", `${path} cannot be given to user ${uid}, group ${gid}`, {
			cause: error,
		});
	}
	if (like !== undefined && (await images.exists(like))) await images.copyAcl(like, path);
};
