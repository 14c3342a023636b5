// All checks of a host. They run in the process of the command line, with or without a daemon: what only the daemon knows
// (repositories, VMs) is asked of it, and read from the store when none runs.
import { asKnibError, type CheckView, type RepositoryView } from "@knib/core";
import { connect } from "../api/connect.ts";
import { type ConfigFlags, loadConfig } from "../config.ts";
import { runCommand } from "../hypervisor/run-command.ts";
import { withExistingBooks } from "../init/local-books.ts";
import { type CheckDeps, type Finding, failure, ok, warning } from "./check.ts";
import { checkFiles } from "./check-appliance.ts";
import { checkChains } from "./check-chains.ts";
import { checkScratchDirectory, checkStateDirectory } from "./check-directories.ts";
import { checkHook } from "./check-hook.ts";
import { checkClock, checkLibvirt, checkNode, checkPrograms, checkQemu } from "./check-programs.ts";
import { checkRepositories } from "./check-repositories.ts";

type Known = {
	readonly repositories: readonly RepositoryView[];
	readonly chains: readonly Finding[];
};

const askDaemon = async (socket: string): Promise<Known> => {
	const client = await connect({ socket });
	try {
		const repositories = await client.api.repository.list.query();
		const vms = await client.api.vm.list.query().catch(() => []);
		const known = { vms, chains: await client.api.chain.list.query({}) };
		const next = async (vm: string) =>
			(await client.api.job.plan.query({ type: "Backup", vm })).reason;
		return { repositories, chains: await checkChains(known, next) };
	} finally {
		await client.close();
	}
};

const checkKnown = async (deps: CheckDeps): Promise<readonly Finding[]> => {
	const { config } = deps;
	try {
		const { repositories, chains } = await askDaemon(config.socket);
		const found = await checkRepositories(deps, repositories);
		return [ok("daemon", `knibd answers on ${config.socket}`), ...found, ...chains];
	} catch (error) {
		const down = warning("daemon", asKnibError(error).message, "knib daemon run");
		const repositories = await withExistingBooks(config, async ({ repositories: book }) =>
			Promise.all((await book.known()).map(book.view)),
		).catch(() => undefined);
		if (repositories !== undefined) return [down, ...(await checkRepositories(deps, repositories))];
		return [down, warning("repositories", "they cannot be listed without the daemon", "knib init")];
	}
};

/** What doctor found, and the acts that it may do by itself. */
export type Diagnosis = {
	readonly checks: readonly CheckView[];
	/** Shown before `mend` is called. */
	readonly mendable: readonly string[];
	mend(): Promise<void>;
};

const viewOf = ({ name, state, message, fix }: Finding): CheckView => ({
	name,
	state,
	message,
	fix,
});

/** Runs every check; a configuration that cannot be read is a finding too. Changes nothing until `mend` is called. */
export const runDoctor = async (options: {
	readonly flags: ConfigFlags;
	readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<Diagnosis> => {
	let config: Awaited<ReturnType<typeof loadConfig>>;
	try {
		config = await loadConfig(options);
	} catch (error) {
		const { message } = asKnibError(error);
		const finding = failure("configuration", message, "correct the file, or `knib init`");
		return { checks: [finding], mendable: [], mend: async () => undefined };
	}
	const deps: CheckDeps = {
		config,
		run: runCommand,
		env: options.env,
		nodeVersion: process.versions.node,
		uid: process.getuid?.() ?? 0,
	};
	const configured = config.fileExists
		? ok("configuration", config.file)
		: warning("configuration", `there is no ${config.file}: defaults are in force`, "knib init");
	const checks = [
		checkNode,
		checkPrograms,
		checkQemu,
		checkLibvirt,
		checkClock,
		checkStateDirectory,
		checkScratchDirectory,
		checkHook,
		checkFiles,
		checkKnown,
	];
	const findings = [configured, ...(await Promise.all(checks.map((check) => check(deps)))).flat()];
	const mendable = findings.filter((finding) => finding.mend !== undefined);
	return {
		checks: findings.map(viewOf),
		mendable: mendable.flatMap((finding) => finding.fix ?? []),
		mend: async () => {
			for (const finding of mendable) await finding.mend?.();
		},
	};
};
