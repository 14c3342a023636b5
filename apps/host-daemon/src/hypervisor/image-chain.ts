// What an image's header says, and the chain below it, by qemu-img with the format always given (I9).

import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type DiskImages, type ImageInfo, KnibError } from "@knib/core";
import { attempt, errnoOf, isPartName, mapLimited, readHead } from "./files.ts";
import { absolutePath } from "./image-path.ts";
import { HEADER_BYTES, readQcow2Links } from "./qcow2-header.ts";
import { qemuImgArgv } from "./qemu-img-argv.ts";
import { parseInfo } from "./qemu-img-parse.ts";
import { type Run, textOf } from "./run-command.ts";

const DEADLINE_MS = 60_000;
const DEEPEST = 200;
const HEADERS_AT_ONCE = 8;

/** The header of one image; what it stands on is not opened. Never waits for qemu's lock: headers of images in use can be read. */
export const imageInfo = async (run: Run, path: string, format: string): Promise<ImageInfo> =>
	parseInfo(
		path,
		textOf(await run(qemuImgArgv.info({ path, format }), { deadlineMs: DEADLINE_MS })),
	);

const unsupported = (message: string): KnibError => new KnibError("DISK_UNSUPPORTED", message);

/** Where the next image of a chain is and of what format, or why it must not be opened. */
const nextOf = (image: ImageInfo): { path: string; format: string } | undefined => {
	const { backing } = image;
	if (backing === undefined) return undefined;
	if (!backing.path.startsWith("/")) {
		throw unsupported(
			`${image.path} stands on ${JSON.stringify(backing.path)}, which is no plain file name`,
		);
	}
	if (backing.format === undefined) {
		throw unsupported(
			`${image.path} does not say the format of its backing file ${backing.path}; say it with: qemu-img rebase -u -f ${image.format} -F FORMAT -b ${backing.path} ${image.path}`,
		);
	}
	return { path: backing.path, format: backing.format };
};

/** An image and everything below it, top first. Rejects with DISK_UNSUPPORTED on a backing name that is no plain path, a format missing from a header, a loop, or more than 200 images. */
export const imageChain = async (
	run: Run,
	path: string,
	format: string,
): Promise<readonly ImageInfo[]> => {
	const images: ImageInfo[] = [];
	let next: { path: string; format: string } | undefined = { path: absolutePath(path), format };
	while (next !== undefined) {
		const at = next;
		if (images.some((image) => image.path === at.path)) {
			throw unsupported(`the chain of ${path} comes back to ${at.path}`);
		}
		if (images.length >= DEEPEST)
			throw unsupported(`the chain of ${path} has more than ${DEEPEST} images`);
		const image = await imageInfo(run, at.path, at.format);
		images.push(image);
		next = nextOf(image);
	}
	return images;
};

const linksOf = async (
	path: string,
): Promise<{ path: string; backing: string | null } | undefined> => {
	try {
		const links = readQcow2Links(path, await readHead(path, HEADER_BYTES));
		return links === undefined ? undefined : { path, backing: links.backing };
	} catch (thrown) {
		// A file that went away meanwhile, a link that leads nowhere or to a directory: none stands on anything.
		if (["ENOENT", "EISDIR"].includes(errnoOf(thrown) ?? "")) return undefined;
		throw thrown;
	}
};

/** All qcow2 images in the directory of `path`, with what each stands on by its header. A header that cannot be read is a rejection (I10). */
export const imagesBeside: DiskImages["imagesBeside"] = (path) => {
	const directory = dirname(absolutePath(path));
	return attempt(`could not read the images in ${directory}`, async () => {
		const entries = await readdir(directory, { withFileTypes: true });
		const names = entries
			.filter((entry) => entry.isFile() || entry.isSymbolicLink())
			.map((entry) => join(directory, entry.name))
			.filter((name) => !isPartName(name));
		const found = await mapLimited(names, HEADERS_AT_ONCE, linksOf);
		return found.filter((one) => one !== undefined);
	});
};
