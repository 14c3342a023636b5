// Which backups are validated again because their proof has grown old (SPEC 5.1).
import type { Proof } from "../domain/chain.ts";

/** A backup whose offering asks for validation. */
export type RepeatCandidate = {
	readonly backup: string;
	readonly vm: string;
	readonly chain: string;
	readonly sequence: number;
	readonly proofs: readonly Proof[];
	/** `backup.validation.interval` in ms; 0 = never again. */
	readonly intervalMs: number;
	readonly repeat: "digest" | "boot";
	/** A validation of it waits or runs. */
	readonly busy: boolean;
};

/** A validation that is due, and why. */
export type DueValidation = {
	readonly backup: string;
	readonly mode: "digest" | "boot";
	readonly reason: string;
};

/** Instant of the newest proof that a repetition of this kind would renew; null when there is none. */
const provenAt = ({ proofs, repeat }: RepeatCandidate): string | null => {
	const levels = repeat === "boot" ? ["booted", "answered"] : ["checked", "booted", "answered"];
	const instants = proofs.filter((proof) => levels.includes(proof.level)).map(({ at }) => at);
	return [...instants].sort().at(-1) ?? null;
};

/** Validations that are due: of backups whose newest proof is older than their interval. Digests are read through the whole ancestry, so of a chain's due backups the newest one stands for all. A backup that was never proven is left to its first validation. */
export const dueValidations = (
	candidates: readonly RepeatCandidate[],
	nowMs: number,
	parse: (instant: string) => number,
): readonly DueValidation[] => {
	const due = candidates.filter((candidate) => {
		const at = provenAt(candidate);
		if (candidate.busy || candidate.intervalMs <= 0 || at === null) return false;
		return nowMs - parse(at) >= candidate.intervalMs;
	});
	const isCovered = (one: RepeatCandidate): boolean =>
		one.repeat === "digest" &&
		due.some((other) => other.chain === one.chain && other.sequence > one.sequence);
	return due
		.filter((one) => !isCovered(one))
		.map((one) => ({
			backup: one.backup,
			mode: one.repeat,
			reason: `its newest proof is of ${provenAt(one) ?? ""}`,
		}));
};
