// Recorded answers of real programs, named by program and version.
import { readFileSync } from "node:fs";

const read = (folder: string, name: string): Buffer =>
	readFileSync(new URL(`../../fixtures/${folder}/${name}`, import.meta.url));

/** What virsh of libvirt 9.0 answered. */
export const fromVirsh = (name: string): string =>
	read("virsh", name.replace(/\.(txt|xml)$/, "-libvirt-9.0.$1")).toString("utf8");

/** What qemu-img 7.2 answered. */
export const fromQemuImg = (name: string): string =>
	read("qemu-img", name.replace(/\.(txt|json)$/, "-qemu-7.2.$1")).toString("utf8");

/** The first 4 KiB of an image that qemu-img 7.2 made. */
export const imageHeader = (name: string): Buffer =>
	read("qemu-img", `header-${name}-qemu-7.2.bin`);

/** What filefrag 1.47 answered. */
export const fromFilefrag = (): string =>
	read("qemu-img", "filefrag-e2fsprogs-1.47.txt").toString();
