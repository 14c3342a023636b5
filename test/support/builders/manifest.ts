// Builders of manifests and of the bytes of their layers: sound by default, so that a test says only what it is about.
import { createHash } from "node:crypto";
import type { Identity, Layer, Manifest } from "@knib/core";
import { identityDigest } from "../../../apps/host-daemon/src/repository/identity-digest.ts";
import { backupName } from "../../../apps/host-daemon/src/repository/layout.ts";

export const MANIFEST_VM = "11111111-2222-4333-8444-555555555555";
export const MANIFEST_CHAIN = "0196f000-0000-7000-8000-00000000c001";
export const MANIFEST_REPOSITORY = {
	id: "0196f000-0000-7000-8000-00000000a001",
	name: "main",
} as const;
const AT = "2026-01-02T03:04:05.000Z";
const VIRTUAL_SIZE = 1 << 20;

const idOf = (sequence: number): string =>
	`0196f000-0000-7000-8000-${String(sequence).padStart(12, "0")}`;

export const digestOf = (data: string | Uint8Array): string =>
	createHash("sha256").update(data).digest("hex");

/** Bytes that a qcow2 image begins with; enough for whoever reads the header only. `format` null leaves the backing file's format out. */
export const qcow2Bytes = (
	override: {
		readonly backing?: string | null;
		readonly format?: string | null;
		readonly virtualSize?: number;
		readonly version?: 2 | 3;
		/** Incompatible feature bits. */
		readonly features?: bigint;
		readonly length?: number;
	} = {},
): Buffer => {
	const { backing = null, format = "qcow2", version = 3, features = 0n } = override;
	const bytes = Buffer.alloc(override.length ?? 70_000);
	bytes.writeUInt32BE(0x514649fb, 0);
	bytes.writeUInt32BE(version, 4);
	bytes.writeUInt32BE(16, 20);
	bytes.writeBigUInt64BE(BigInt(override.virtualSize ?? VIRTUAL_SIZE), 24);
	let at = version === 2 ? 72 : 104;
	if (version === 3) {
		bytes.writeBigUInt64BE(features, 72);
		bytes.writeUInt32BE(104, 100);
	}
	if (backing === null) return bytes;
	if (format !== null) {
		bytes.writeUInt32BE(0xe2792aca, at);
		bytes.writeUInt32BE(format.length, at + 4);
		bytes.write(format, at + 8);
		at += 8 + Math.ceil(format.length / 8) * 8;
	}
	at += 8;
	bytes.writeBigUInt64BE(BigInt(at), 8);
	bytes.writeUInt32BE(bytes.write(backing, at), 16);
	return bytes;
};

/** The bytes of a layer that `aLayer` describes. */
export const layerBytes = (layer: Pick<Layer, "backing" | "virtualSize" | "target">): Buffer => {
	const bytes = qcow2Bytes({ backing: layer.backing, virtualSize: layer.virtualSize });
	bytes.write(layer.target, bytes.length - 20);
	return bytes;
};

export const aLayer = (override: Partial<Layer> = {}): Layer => {
	const target = override.target ?? "vda";
	const { virtualSize = VIRTUAL_SIZE, backing = null } = override;
	const bytes = layerBytes({ target, virtualSize, backing });
	return {
		target,
		file: `${target}.qcow2`,
		size: bytes.length,
		allocated: bytes.length,
		uncompressedSize: bytes.length,
		virtualSize,
		sha256: digestOf(bytes),
		headerDigest: digestOf(bytes.subarray(0, 65_536)),
		backing,
		compression: null,
		...override,
	};
};

export const anIdentity = (override: Partial<Identity> = {}): Identity => ({
	id: idOf(override.sequence ?? 1),
	vm: MANIFEST_VM,
	chain: MANIFEST_CHAIN,
	sequence: 1,
	pointInTime: AT,
	disks: [{ target: "vda", virtualSize: VIRTUAL_SIZE }],
	nonce: "5a".repeat(32),
	fencing: 1,
	...override,
});

/** A manifest whose identity digest fits, unless it is given. */
export const aManifest = (
	override: Partial<Omit<Manifest, "identity">> & { readonly identity?: Partial<Identity> } = {},
): Manifest => {
	const identity = anIdentity(override.identity);
	const layers = identity.disks.map(({ target, virtualSize }) => aLayer({ target, virtualSize }));
	return {
		format: 1,
		identityDigest: identityDigest(identity),
		parent: null,
		kind: "full",
		reason: "full: first backup of the chain",
		vm: { uuid: identity.vm, name: "a", state: "running" },
		host: { id: "host-a", name: "a.example" },
		repository: MANIFEST_REPOSITORY,
		createdAt: AT,
		consistency: "crash-consistent",
		labels: [],
		offering: { id: "0196f000-0000-7000-8000-00000000f001", name: "standard" },
		generation: { number: 1, publishedAt: AT, layers },
		tracker: { kind: "overlay", disks: [] },
		skipped: [],
		machine: { files: ["domain-inactive.xml"], networks: [], pools: [] },
		endsChain: null,
		versions: { knib: "0.1.0", libvirt: "9.0.0", qemu: "7.2.22" },
		...override,
		identity,
	};
};

/** The incremental backup that follows `parent`. */
export const aChild = (
	parent: Manifest,
	override: Parameters<typeof aManifest>[0] = {},
): Manifest => {
	const { id, sequence, vm, chain, disks, fencing } = parent.identity;
	const identity = { sequence: sequence + 1, vm, chain, disks, fencing, ...override.identity };
	const layers = disks.map(({ target, virtualSize }) =>
		aLayer({
			target,
			virtualSize,
			backing: `../${backupName(parent.identity)}/${target}.qcow2`,
		}),
	);
	return aManifest({
		parent: { id, identityDigest: parent.identityDigest },
		kind: "incremental",
		reason: "incremental on the newest backup",
		repository: parent.repository,
		vm: parent.vm,
		generation: { number: 1, publishedAt: AT, layers },
		...override,
		identity,
	});
};
