// DiskImages in memory, over the fake world. Contents are truly computed, so that a lost layer is seen as other data.
import { dirname } from "node:path";
import { type DiskImages, KnibError } from "@knib/core";
import {
	absolutePath,
	isPlainBackingName,
} from "../../../apps/host-daemon/src/hypervisor/image-path.ts";
import { copyImage, mergeDown } from "./fake-copies.ts";
import { factsOf } from "./fake-facts.ts";
import { allocated, chainOf, compareImages, infoOf, mapOf } from "./fake-reads.ts";
import { usersOf } from "./fake-uses.ts";
import {
	addFakeImage,
	backingOf,
	CLUSTER,
	digestOf,
	type FakeWorld,
	headerOf,
	identityOf,
	imageAt,
	touch,
} from "./fake-world.ts";

const SPACE = 1024 ** 4;

const failed = (message: string): KnibError => new KnibError("COMMAND_FAILED", message);

const mustBeFree = (world: FakeWorld, path: string): void => {
	if (world.images.has(absolutePath(path))) throw new KnibError("EXISTS", `${path} exists already`);
};

/** In-memory DiskImages on a world. */
export const createFakeDiskImages = (world: FakeWorld): DiskImages => {
	const { wrap } = world.control;
	return {
		info: wrap("info", async (path, format) => infoOf(world, path, format)),
		chain: wrap("chain", async (path, format) => chainOf(world, absolutePath(path), format)),
		facts: wrap("facts", async (path) => factsOf(path, imageAt(world, absolutePath(path)))),
		createOverlay: wrap("createOverlay", async (overlay) => {
			mustBeFree(world, overlay.path);
			imageAt(world, absolutePath(overlay.backing));
			const like = overlay.like === undefined ? undefined : imageAt(world, overlay.like);
			addFakeImage(world, overlay.path, {
				format: "qcow2",
				size: overlay.size,
				backing: { name: overlay.backing, format: overlay.backingFormat },
				extendedL2: overlay.subclusters !== false,
				...(like === undefined ? {} : { uid: like.uid, gid: like.gid, mode: like.mode }),
			});
		}),
		convert: wrap("convert", async (job, options = {}) => {
			mustBeFree(world, job.target.path);
			infoOf(world, job.source.path, job.source.format);
			options.onProgress?.(0.5);
			if (options.signal?.aborted === true)
				throw new KnibError("CANCELLED", "convert was cancelled");
			const { extendedL2 = false, compression = "zlib" } = job.target;
			copyImage(world, job.source.path, { ...job.target, extendedL2, compression }, job.backing);
			options.onProgress?.(1);
		}),
		commitFile: wrap("commitFile", async (path) => {
			const below = chainOf(world, absolutePath(path), "qcow2")[1];
			if (below === undefined) throw failed(`${path} has no backing file`);
			mergeDown(world, path, { base: below.path, top: path });
		}),
		map: wrap("map", async (path, format) => {
			infoOf(world, path, format);
			return mapOf(world, path);
		}),
		compare: wrap("compare", async (a, b, options = {}) => {
			infoOf(world, a.path, a.format);
			infoOf(world, b.path, b.format);
			return compareImages(world, [a.path, b.path], options.topOnly === true);
		}),
		check: wrap("check", async (path) => {
			infoOf(world, path, "qcow2");
			return { ok: true, message: "No errors were found on the image." };
		}),
		rebaseUnsafe: wrap("rebaseUnsafe", async (path, backing) => {
			const image = imageAt(world, absolutePath(path));
			if (!isPlainBackingName(backing.path)) {
				throw new KnibError("REFUSED", `${backing.path} is no plain file name`);
			}
			image.backing = { name: backing.path, format: backing.format };
			touch(world, image);
		}),
		resize: wrap("resize", async (path, _format, size) => {
			const image = imageAt(world, absolutePath(path));
			if (size < image.size) throw failed(`${path} is not made smaller`);
			image.size = size;
			touch(world, image);
		}),
		writable: wrap("writable", async (path) => {
			imageAt(world, absolutePath(path));
			return !world.held.has(path) && usersOf(world, path).length === 0;
		}),
		identity: wrap("identity", async (path) => identityOf(world, path)),
		imagesBeside: wrap("imagesBeside", async (path) => {
			const beside = [...world.images].filter(
				([at, image]) => dirname(at) === dirname(path) && image.format === "qcow2",
			);
			return beside.map(([at, image]) => ({ path: at, backing: backingOf(at, image) }));
		}),
		space: wrap("space", async () => ({ free: SPACE, capacity: SPACE, writable: true })),
		sync: wrap("sync", async (path) => void imageAt(world, path)),
		hash: wrap("hash", async (path) => {
			const image = imageAt(world, absolutePath(path));
			const contents = [headerOf(image), [...image.clusters].sort(([a], [b]) => a - b)];
			const size = allocated(image) + CLUSTER;
			return { sha256: digestOf(contents), size, allocated: size, headerDigest: headerOf(image) };
		}),
		copyAcl: wrap("copyAcl", async (from, to) => {
			// Nobody of the fake world is kept out of a file.
			for (const path of [from, to]) imageAt(world, absolutePath(path));
		}),
		exists: wrap("exists", async (path) => world.images.has(path)),
		rename: wrap("rename", async (from, to) => {
			const image = world.images.get(from);
			if (image === undefined) throw new KnibError("NOT_FOUND", `${from} is not there`);
			if (world.images.has(to)) throw new KnibError("EXISTS", `${to} exists already`);
			world.images.delete(from);
			world.images.set(to, image);
			image.ctime = BigInt(world.next());
		}),
		unlink: wrap("unlink", async (path) => void world.images.delete(path)),
	};
};
