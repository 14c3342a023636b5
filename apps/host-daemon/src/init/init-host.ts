// `knib init`: configuration, libvirt's hook, identity, first repository and offering. It runs in the process of the command line; the store is
// the daemon's while one runs, and opened here when none does.
import { stat } from "node:fs/promises";
import { type InitInput, type InitView, KnibError, type Outcome } from "@knib/core";
import { connect } from "../api/connect.ts";
import { type Config, type ConfigFlags, loadConfig } from "../config.ts";
import { hookAct } from "../hook/install-hook.ts";
import { configAct } from "./config-file.ts";
import { initCatalog } from "./init-catalog.ts";
import { withLocalBooks } from "./local-books.ts";

type Options = {
	readonly flags: ConfigFlags;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly input: InitInput;
};

/** Undefined when no daemon answers. */
const throughDaemon = async (
	config: Config,
	input: InitInput,
): Promise<Outcome<InitView> | undefined> => {
	const client = await connect({ socket: config.socket }).catch((error: unknown) => {
		const code = error instanceof KnibError ? error.details["code"] : undefined;
		if (code === "ENOENT" || code === "ECONNREFUSED") return undefined;
		throw error;
	});
	if (client === undefined) return undefined;
	try {
		return await client.api.daemon.init.mutate(input);
	} finally {
		await client.close();
	}
};

const isThere = (path: string): Promise<boolean> =>
	stat(path).then(
		() => true,
		() => false,
	);

const locally = async (config: Config, input: InitInput): Promise<Outcome<InitView>> => {
	if (input.dryRun && !(await isThere(config.stateDir))) {
		const repository = input.repository;
		const explain = [
			`makes the state directory ${config.stateDir} with this host's key`,
			"creates the offering default",
			...(repository === undefined
				? []
				: [`adds ${repository.path} as repository ${repository.name}`]),
		];
		return {
			done: false,
			plan: { type: "Init", reason: "a first init", explain, warnings: [], steps: [] },
		};
	}
	return await withLocalBooks(config, async (books, { identity, made }) => {
		const { id, name } = identity;
		const place = { host: { id, name }, config: config.file, ...paths(config) };
		const outcome = await initCatalog(books, place, input);
		if (!outcome.done) return outcome;
		return { done: true, result: { ...outcome.result, made: [...made, ...outcome.result.made] } };
	});
};

const paths = ({ stateDir, socket }: Config) => ({ stateDir, socket });

/** Sets this host up; repeatable. Rejects with CONFIG_INVALID, STORE_LOCKED, REPOSITORY_*. */
export const initHost = async ({ flags, env, input }: Options): Promise<Outcome<InitView>> => {
	const config = await loadConfig({ flags, env, mayBeMissing: true });
	const defaults = await loadConfig({ flags: { config: "/dev/null" }, env: {} });
	const acts = [await configAct(config, defaults, flags.listen), await hookAct(config)];
	const toDo = acts.filter((act) => act !== undefined);
	if (!input.dryRun) for (const act of toDo) await act.apply();
	const outcome = (await throughDaemon(config, input)) ?? (await locally(config, input));
	const words = toDo.map(({ explain }) => explain);
	if (outcome.done) {
		const { result } = outcome;
		return {
			done: true,
			result: { ...result, config: config.file, made: [...words, ...result.made] },
		};
	}
	const { plan } = outcome;
	return { done: false, plan: { ...plan, explain: [...words, ...plan.explain] } };
};
