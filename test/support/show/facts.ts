// A host with plenty to see, made of numbers: the same numbers give the same host.
import type { Vm } from "@knib/core";
import type { BackupBody, ChainBody } from "../../../apps/host-daemon/src/catalog/bodies.ts";
import { aVm } from "../builders/facts.ts";

/** Backups of a full chain. */
const CHAIN_SIZE = 8;
const NAMES = ["web01", "web02", "db01", "db02", "mail", "git", "ci-runner", "ldap", "files"];
/** Names that a careless screen would break on. */
export const HOSTILE = [
	`${"very-long-name-".repeat(14)}end`,
	"\u001b]0;title\u0007\u001b[31mred\u001b[2J",
	"日本語の仮想マシン",
	"👩‍👩‍👧‍👦 family 🎉 e\u0301\u0301\u0301 \u202egnp.exe",
];

const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, "0");
export const idOf = (kind: string, n: number): string =>
	`0196f000-0000-7000-8000-${kind}${hex(n, 10)}`;
const vmUuid = (n: number): string => `aaaaaaaa-0000-4000-8000-${hex(n + 1, 12)}`;
const instantOf = (now: number, minutesAgo: number): string =>
	new Date(now - minutesAgo * 60_000).toISOString();
/** A number that looks like chance, from 0 to 1. */
const share = (n: number): number => Math.abs((Math.sin(n * 127.1 + 11.7) * 43_758.5453) % 1);

/** The VMs: ordinary names first, then names to break screens with. */
export const showVms = (count: number, hostile: boolean): readonly Vm[] =>
	Array.from({ length: count }, (_, n) =>
		aVm({
			uuid: vmUuid(n),
			name: (hostile ? HOSTILE[n] : undefined) ?? NAMES[n] ?? `vm-${n}`,
			state: n % 5 === 4 ? "shut off" : "running",
		}),
	);

/** Where the host's things are. */
export type ShowPlace = {
	readonly repository: string;
	readonly repositoryId: string;
	readonly now: number;
};

const proofsOf = (n: number, last: boolean, at: string): BackupBody["proof"] => {
	const proof = (level: "copied" | "checked" | "booted" | "answered", durationMs: number) => ({
		level,
		at,
		host: "here",
		durationMs,
	});
	const copied = proof("copied", 41_000);
	if (last || share(n) < 0.3) return [copied];
	return [copied, proof("checked", 12_000), proof("booted", 18_400), proof("answered", 21_900)];
};

const bodyOf = (place: ShowPlace, vm: Vm, n: number, count: number): BackupBody => {
	const sequence = (n % CHAIN_SIZE) + 1;
	const chain = idOf("c0", n - (n % CHAIN_SIZE));
	const size = Math.round((sequence === 1 ? 4e9 : 9e7) * (0.5 + share(n)));
	const at = instantOf(place.now, (count - n) * 97 + 34);
	const proof = proofsOf(n, n >= count - 2, at);
	const proven = proof.length > 1;
	const directory = `vms/${vm.uuid}/${chain}/${hex(sequence, 4)}-${idOf("b0", n)}`;
	return {
		id: idOf("b0", n),
		vm: { uuid: vm.uuid, name: vm.name },
		host: "here",
		chain,
		sequence,
		parent: sequence === 1 ? null : idOf("b0", n - 1),
		kind: sequence === 1 ? "full" : "incremental",
		reason: sequence === 1 ? "full: chain reached 8 of 8" : `incremental: ${sequence} of 8`,
		status: "BackedUp",
		compressionStatus: share(n + 7) < 0.6 ? "Compressed" : "Uncompressed",
		validationStatus: proven ? "Valid" : "NotValidated",
		proof,
		createdAt: at,
		pointInTime: at,
		consistency: sequence % 2 === 0 ? "quiesced" : "crash",
		labels: sequence === 1 ? ["weekly"] : [],
		pinned: n % 16 === 0,
		size,
		uncompressedSize: Math.round(size * 1.7),
		virtualSize: 40 * 2 ** 30,
		repository: "main",
		offering: "default",
		disks: ["vda", "vdb"].map((target) => ({
			target,
			layer: `${target}.qcow2`,
			size: Math.round(size / 2),
			virtualSize: 20 * 2 ** 30,
			parentLayer:
				sequence === 1 ? null : `../${hex(sequence - 1, 4)}-${idOf("b0", n - 1)}/${target}.qcow2`,
			sha256: hex(n + 1, 8).repeat(8),
		})),
		skipped: [],
		validation: proven
			? [
					{
						step: "wait_for_boot",
						ok: true,
						skipped: false,
						message: "the agent answered",
						durationMs: 18_400,
						output: null,
					},
					{
						step: "screenshot",
						ok: true,
						skipped: false,
						message: "the screen shows something",
						durationMs: 900,
						output: null,
					},
				]
			: [],
		validationMessage: null,
		validated: proven
			? { at, host: "here", agentMs: 18_400, answerMs: 21_900, screenshot: true }
			: null,
		error: null,
		warnings: [],
		repositoryId: place.repositoryId,
		directory,
	};
};

/** Backups of all VMs, a chain of each in turn, and their chains. */
export const showBackups = (
	place: ShowPlace,
	vms: readonly Vm[],
	count: number,
): { readonly backups: readonly BackupBody[]; readonly chains: readonly ChainBody[] } => {
	const backups = Array.from({ length: count }, (_, n) => {
		const vm = vms[Math.floor(n / CHAIN_SIZE) % vms.length];
		if (vm === undefined) throw new Error("a world with backups has VMs");
		return bodyOf(place, vm, n, count);
	});
	const chains = new Map<string, BackupBody[]>();
	for (const one of backups)
		chains.set(one.chain ?? "", [...(chains.get(one.chain ?? "") ?? []), one]);
	return {
		backups,
		chains: [...chains].flatMap(([id, members]): readonly ChainBody[] => {
			const [first] = members;
			if (first === undefined) return [];
			const full = members.length === CHAIN_SIZE;
			return [
				{
					id,
					vm: first.vm,
					repository: "main",
					state: full ? "ended" : "open",
					endReason: full ? "chain reached 8 of 8" : null,
					backups: members.map((one) => one.id),
					size: members.reduce((sum, one) => sum + one.size, 0),
					problems: [],
					repositoryId: place.repositoryId,
				},
			];
		}),
	};
};
