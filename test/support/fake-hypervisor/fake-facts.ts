import type { FileFacts } from "@knib/core";
import { CLUSTER, digestOf, type FakeImage, headerOf } from "./fake-world.ts";

/** The facts of a fake image file; a block device has no times and no extents. */
export const factsOf = (path: string, image: FakeImage): FileFacts => {
	const { kind, uid, gid, mode } = image;
	const raw = image.format === "raw";
	const size = raw ? image.size : (image.clusters.size + 1) * CLUSTER;
	const common = { path, kind, size, uid, gid, mode, headerDigest: headerOf(image) };
	if (kind === "block") {
		return { ...common, inode: "0", fileSystem: `serial:${image.inode}`, mtime: "0", ctime: "0" };
	}
	return {
		...common,
		inode: String(image.inode),
		fileSystem: "fa4e",
		mtime: String(image.mtime),
		ctime: String(image.ctime),
		extentsDigest: digestOf(image.place),
	};
};
