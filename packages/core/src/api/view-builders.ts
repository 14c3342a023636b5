// From manifests to what `--json` prints: pure, so that a rescan and a finished backup give the same view.
import { type Chain, chainEndReason, type Proof, type PublishedBackup } from "../domain/chain.ts";
import { PROOF_LEVELS } from "../domain/validation.ts";
import type { BackupBrief, BackupView, ChainView } from "./views.ts";

/** A backup's view as it is replicated: `path` differs from host to host and is put in at read. */
export type StoredBackupView = Omit<BackupView, "path">;

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** A host by the name that the manifest has for its id; another one by its id. */
const hostOf = ({ manifest }: PublishedBackup, id: string): string =>
	id === manifest.host.id ? manifest.host.name : id;

const validatedOf = (published: PublishedBackup): StoredBackupView["validated"] => {
	const { last } = published.marks.validation;
	if (last === undefined) return null;
	const { at, host, agentMs, answerMs, screenshot } = last;
	return { at, host: hostOf(published, host), agentMs, answerMs, screenshot };
};

/** Being published is the first proof; the others are kept beside the manifest. */
const proofsOf = (published: PublishedBackup): readonly Proof[] => {
	const { manifest, marks } = published;
	const kept = marks.proofs.map((proof) => ({ ...proof, host: hostOf(published, proof.host) }));
	if (kept.some((proof) => proof.level === "copied")) return kept;
	const { number, publishedAt } = manifest.generation;
	const at = number === 1 ? publishedAt : manifest.createdAt;
	return [{ level: "copied", at, host: manifest.host.name, durationMs: 0 }, ...kept];
};

/** The view of a published backup. `repository` is the name under which this host knows it. */
export const backupView = (published: PublishedBackup, repository: string): StoredBackupView => {
	const { manifest, marks } = published;
	const layers = manifest.generation.layers;
	return {
		id: manifest.identity.id,
		vm: { uuid: manifest.vm.uuid, name: manifest.vm.name },
		host: manifest.host.name,
		chain: manifest.identity.chain,
		sequence: manifest.identity.sequence,
		parent: manifest.parent?.id ?? null,
		kind: manifest.kind,
		reason: manifest.reason,
		status: marks.removed === null ? "BackedUp" : "Removed",
		compressionStatus: marks.compression.status,
		validationStatus: marks.validation.status,
		proof: proofsOf(published),
		createdAt: manifest.createdAt,
		pointInTime: manifest.identity.pointInTime,
		consistency: manifest.consistency,
		labels: manifest.labels,
		pinned: marks.pinned !== null,
		size: sum(layers.map((layer) => layer.size)),
		uncompressedSize: sum(layers.map((layer) => layer.uncompressedSize)),
		virtualSize: sum(layers.map((layer) => layer.virtualSize)),
		repository,
		offering: manifest.offering.name,
		disks: layers.map((layer) => ({
			target: layer.target,
			layer: layer.file,
			size: layer.size,
			virtualSize: layer.virtualSize,
			parentLayer: layer.backing,
			sha256: layer.sha256,
		})),
		skipped: manifest.skipped,
		validation: marks.validation.steps,
		validationMessage: marks.validation.message,
		validated: validatedOf(published),
		error: null,
		warnings: [],
	};
};

/** The highest of some proofs, and of equals the newest. */
export const bestProof = (proofs: readonly Proof[]): Proof | null =>
	proofs.reduce<Proof | null>((best, proof) => {
		if (best === null) return proof;
		const higher = PROOF_LEVELS.indexOf(proof.level) - PROOF_LEVELS.indexOf(best.level);
		return higher > 0 || (higher === 0 && proof.at > best.at) ? proof : best;
	}, null);

/** What long lists show of a backup. */
export const backupBrief = (view: BackupView): BackupBrief => {
	const { id, vm, host, chain, parent, kind, status, compressionStatus, validationStatus } = view;
	const { createdAt, pointInTime, labels, pinned, size } = view;
	const best = bestProof(view.proof);
	const proof = best === null ? null : { level: best.level, at: best.at };
	return {
		...{ id, vm, host, chain, parent, kind, status, compressionStatus, validationStatus },
		...{ createdAt, pointInTime, labels, pinned, size, proof },
	};
};

/** The view of a chain; `null` when nothing readable is in it, since then not even its VM's name is known. */
export const chainView = (chain: Chain, repository: string): ChainView | null => {
	const newest = chain.members.at(-1);
	if (newest === undefined) return null;
	return {
		id: chain.id,
		vm: { uuid: chain.vm, name: newest.manifest.vm.name },
		repository,
		state: chainEndReason(chain) === null ? "open" : "ended",
		endReason: chainEndReason(chain),
		backups: chain.members.map((member) => member.manifest.identity.id),
		size: sum(
			chain.members.flatMap((member) =>
				member.manifest.generation.layers.map((layer) => layer.size),
			),
		),
		problems: chain.problems,
	};
};

/** A backup that never became one. */
export type FailedBackupFacts = {
	readonly id: string;
	readonly vm: { readonly uuid: string; readonly name: string };
	readonly createdAt: string;
	readonly reason: string;
	readonly error: { readonly code: string; readonly message: string };
	readonly status: "Failed" | "Unconfirmed";
};

/** The view of a failed backup: what was asked for, and the cause. */
export const failedBackupView = (failed: FailedBackupFacts, host: string): StoredBackupView => ({
	id: failed.id,
	vm: failed.vm,
	host,
	chain: null,
	sequence: null,
	parent: null,
	kind: null,
	reason: failed.reason,
	status: failed.status,
	compressionStatus: "Uncompressed",
	validationStatus: "NotValidated",
	proof: [],
	createdAt: failed.createdAt,
	pointInTime: null,
	consistency: null,
	labels: [],
	pinned: false,
	size: 0,
	uncompressedSize: 0,
	virtualSize: 0,
	repository: null,
	offering: null,
	disks: [],
	skipped: [],
	validation: [],
	error: failed.error,
	warnings: [],
});
