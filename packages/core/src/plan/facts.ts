// The facts that planners read: gathered once by the daemon, plain data, so that a decision can be tested by value.
import type { BackupRequest } from "../api/job-request.ts";
import type { Chain } from "../domain/chain.ts";
import type { FileFacts, ImageInfo } from "../domain/image.ts";
import type { Offering } from "../domain/offering.ts";
import type { Vm, VmDisk } from "../domain/vm.ts";
import type { Refusal } from "./plan.ts";

/** One disk of the VM with its images on the VM's storage. */
export type DiskFacts = {
	readonly disk: VmDisk;
	/** The image in use and everything below it, top first; empty when it could not be read or is none of files and block devices. */
	readonly images: readonly ImageInfo[];
	/** Identity of every image and data file below the one in use, in the same order. */
	readonly below: readonly FileFacts[];
	/** Identity of the image in use. */
	readonly top: FileFacts | null;
	/** Why the images could not be read, in words. */
	readonly problem: string | null;
};

/** The chain that the next backup may continue. */
export type OpenChainFacts = {
	readonly chain: Chain;
	readonly repository: { readonly id: string; readonly name: string };
	/** What is wrong with the newest member's layers; empty when they are what was published. */
	readonly parentProblems: readonly string[];
};

export type VmFacts = {
	readonly vm: Vm;
	readonly disks: readonly DiskFacts[];
	readonly open: OpenChainFacts | null;
};

export type BackupFacts = VmFacts & {
	readonly request: BackupRequest;
	/** Why the VM's newest ended chain ended; null when there is none. */
	readonly lastEnd: string | null;
	/** By repository, the newest backups of the VM's open chains there. */
	readonly openTips?: Readonly<Record<string, readonly string[]>>;
	/** Id that the backup will have, and of the chain if it opens one. */
	readonly backup: string;
	readonly newChain: string;
	readonly nonce: string;
	readonly now: string;
	readonly offering: Offering;
	readonly excluded: readonly string[];
	readonly chainSize: number;
	readonly parallelDisks: number;
	readonly copyRate: number;
	readonly scratch: string;
	/** Whether the guest agent answered; null when nobody asked it. */
	readonly agentAnswers: boolean | null;
	/** Where a new chain would go, and why; or why there is no place for one. */
	readonly repository:
		| { readonly id: string; readonly name: string; readonly reason: string }
		| Refusal;
};
