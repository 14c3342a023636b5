// A real repository with a chain of two backups of two disks, made by qemu-img: what a restore reads.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type {
	Clock,
	DiskImages,
	IdSource,
	Layer,
	Manifest,
	PublishedBackup,
	Repository,
} from "@knib/core";
import { createRepository } from "../../apps/host-daemon/src/repository/create-repository.ts";
import { backupName } from "../../apps/host-daemon/src/repository/layout.ts";
import { fixture } from "./builders/definition.ts";
import { aLayer, aManifest } from "./builders/manifest.ts";

/** The disks of the VM that was backed up. */
export const TARGETS: readonly string[] = ["vda", "vdb"];
/** Their virtual size, bytes. */
export const DISK_SIZE = 4 << 20;

const DISKS = TARGETS.map((target) => ({ target, virtualSize: DISK_SIZE }));

const qemuImg = (...args: readonly string[]): void => {
	execFileSync("qemu-img", args, { stdio: "pipe" });
};

/** Runs a qemu-io command on a qcow2 image. */
export const qemuIo = (file: string, command: string): void => {
	execFileSync("qemu-io", ["-f", "qcow2", "-c", command, file], { stdio: "pipe" });
};

type LayerWork = {
	readonly directory: string;
	readonly target: string;
	readonly parent: PublishedBackup | null;
	/** The byte that is written, at the start of a full backup and behind it in an increment. */
	readonly pattern: number;
};

const makeLayer = async (images: DiskImages, work: LayerWork): Promise<Layer> => {
	const { directory, target, parent, pattern } = work;
	const file = join(directory, `${target}.qcow2`);
	const below = parent === null ? [] : ["-F", "qcow2", "-b", `${parent.path}/${target}.qcow2`];
	qemuImg("create", "-q", "-f", "qcow2", ...below, file, String(DISK_SIZE));
	qemuIo(file, `write -P ${pattern} ${parent === null ? 0 : 65_536} 131072`);
	const backing = parent && `../${backupName(parent.manifest.identity)}/${target}.qcow2`;
	if (backing !== null) {
		qemuImg("rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", backing, file);
	}
	const facts = await images.hash(file);
	return aLayer({
		target,
		...facts,
		uncompressedSize: facts.allocated,
		virtualSize: DISK_SIZE,
		backing,
	});
};

const placeMachine = (directory: string, tpm: boolean): void => {
	for (const name of ["domain-inactive.xml", "domain.xml"]) {
		writeFileSync(join(directory, name), fixture("plain"));
	}
	writeFileSync(join(directory, "nvram"), "variables");
	if (!tpm) return;
	mkdirSync(join(directory, "tpm"));
	writeFileSync(join(directory, "tpm", "state"), "state");
};

const publish = async (
	repository: Repository,
	images: DiskImages,
	manifest: Manifest,
	content: Pick<LayerWork, "parent" | "pattern"> & { readonly tpm: boolean },
): Promise<PublishedBackup> => {
	const { path: directory } = await repository.incoming(manifest.identity.id);
	placeMachine(directory, content.tpm);
	const layers: Layer[] = [];
	for (const target of TARGETS) {
		layers.push(
			await makeLayer(images, {
				directory,
				target,
				parent: content.parent,
				pattern: content.pattern,
			}),
		);
	}
	return repository.publish({
		...manifest,
		repository: { id: repository.id, name: repository.name },
		generation: { ...manifest.generation, layers },
		machine: {
			files: ["domain-inactive.xml", "domain.xml", "nvram", ...(content.tpm ? ["tpm"] : [])],
			networks: ["default"],
			pools: [],
		},
	});
};

/** Makes the repository in `path`; `source` is the directory where the VM's disks were. */
export const restoreRepository = async (options: {
	readonly path: string;
	readonly source: string;
	readonly images: DiskImages;
	readonly clock: Clock;
	readonly ids: IdSource;
	/** False: the VM had no TPM. */
	readonly tpm?: boolean;
	/** The offering as the manifests keep it. */
	readonly offering?: Manifest["offering"];
}): Promise<{
	readonly repository: Repository;
	readonly full: PublishedBackup;
	readonly increment: PublishedBackup;
}> => {
	const { path, source, images, clock, ids, tpm = true, offering } = options;
	const repository = await createRepository({ path, name: "main", hostId: "here", clock, ids });
	const frozen = (target: string) =>
		({ path: join(source, `${target}.qcow2`), format: "qcow2" }) as const;
	const tracker = {
		kind: "overlay",
		disks: TARGETS.map((target) => ({ target, frozen: frozen(target) })),
	} as const;
	const policy = offering === undefined ? {} : { offering };
	const first = aManifest({
		...policy,
		identity: { disks: DISKS },
		tracker: { ...tracker, disks: [...tracker.disks] },
	});
	const full = await publish(repository, images, first, { parent: null, pattern: 1, tpm });
	const { identity, identityDigest } = full.manifest;
	const second = aManifest({
		...policy,
		identity: { disks: DISKS, sequence: 2, pointInTime: "2026-01-02T03:05:05.000Z" },
		parent: { id: identity.id, identityDigest },
		kind: "incremental",
		tracker: { ...tracker, disks: [...tracker.disks] },
	});
	const increment = await publish(repository, images, second, { parent: full, pattern: 2, tpm });
	return { repository, full, increment };
};
