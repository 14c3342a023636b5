import {
	KnibError,
	type SettingScopeInput,
	settingInputSchema,
	settingSetInputSchema,
	settingsListInputSchema,
	settingUnsetInputSchema,
} from "@knib/core";
import { carryOut } from "../../catalog/change.ts";
import type { Scope } from "../../catalog/setting-book.ts";
import type { ApiDeps } from "../context.ts";
import { procedure } from "../trpc.ts";
import { findVmOrPast } from "../vm-views.ts";
import { findHost } from "./host.ts";

const scopeOf = async (deps: ApiDeps, input: SettingScopeInput): Promise<Scope> => {
	if (input.vm !== undefined && input.host !== undefined) {
		throw new KnibError("USAGE", "give either a host or a VM, not both");
	}
	if (input.vm !== undefined) {
		const { uuid, name } = await findVmOrPast(deps, input.vm);
		return { scope: "vm", id: uuid, name };
	}
	if (input.host === undefined) return { scope: "cluster" };
	return { scope: "host", ...findHost(deps, input.host) };
};

const offeringOf = async (deps: ApiDeps, scope: Scope) =>
	scope.scope === "vm" ? await deps.books.vms.offeringOf(scope.id) : undefined;

/** Settings at their scopes. */
export const settingsProcedures = {
	list: procedure.input(settingsListInputSchema).query(async ({ ctx: { deps }, input }) => {
		const scope = await scopeOf(
			deps,
			input.effective === undefined ? input : { vm: input.effective },
		);
		return await deps.books.settings.list(scope, await offeringOf(deps, scope));
	}),
	get: procedure.input(settingInputSchema).query(async ({ ctx: { deps }, input }) => {
		const scope = await scopeOf(deps, input);
		return await deps.books.settings.show(scope, input.name, await offeringOf(deps, scope));
	}),
	set: procedure.input(settingSetInputSchema).mutation(async ({ ctx: { deps }, input }) => {
		const { turnstile, settings } = deps.books;
		const scope = await scopeOf(deps, input);
		return await carryOut(
			turnstile,
			() => settings.set(scope, input.name, input.value),
			input.dryRun,
		);
	}),
	unset: procedure.input(settingUnsetInputSchema).mutation(async ({ ctx: { deps }, input }) => {
		const { turnstile, settings } = deps.books;
		const scope = await scopeOf(deps, input);
		return await carryOut(turnstile, () => settings.unset(scope, input.name), input.dryRun);
	}),
};
