import type { CheckView } from "@knib/core";
import type { Config } from "../config.ts";
import type { Run } from "../hypervisor/run-command.ts";

/** A finding; `mend` does what `fix` says, where knib may do it by itself. */
export type Finding = CheckView & { readonly mend?: () => Promise<void> };

/** What checks look at. */
export type CheckDeps = {
	readonly config: Config;
	readonly run: Run;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly nodeVersion: string;
	/** Numeric id of the user that runs the checks. */
	readonly uid: number;
};

/** One check: none, one or several findings. */
export type Check = (deps: CheckDeps) => Promise<readonly Finding[]>;

export const ok = (name: string, message: string): Finding => ({
	name,
	state: "ok",
	message,
	fix: null,
});
export const warning = (name: string, message: string, fix: string | null = null): Finding => ({
	name,
	state: "warning",
	message,
	fix,
});
export const failure = (name: string, message: string, fix: string | null = null): Finding => ({
	name,
	state: "failure",
	message,
	fix,
});

/** The message of anything thrown. */
export const wordsOf = (thrown: unknown): string =>
	thrown instanceof Error ? thrown.message : String(thrown);
