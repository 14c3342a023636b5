import { readFile } from "node:fs/promises";

const NAMES = ["libvirt-qemu", "qemu"];

/** The user that libvirt runs qemu as. */
export type QemuUser = { readonly name: string; readonly uid: number; readonly gid: number };

/** Finds qemu's user in a passwd file by the names that distributions give it. */
export const parseQemuUser = (passwd: string): QemuUser | undefined => {
	const lines = passwd.split("\n");
	for (const name of NAMES) {
		const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
		if (uid !== undefined && gid !== undefined) return { name, uid: Number(uid), gid: Number(gid) };
	}
	return undefined;
};

/** qemu's user of this machine; undefined where there is none by these names. */
export const qemuUser = async (): Promise<QemuUser | undefined> =>
	parseQemuUser(await readFile("/etc/passwd", "utf8").catch(() => ""));
