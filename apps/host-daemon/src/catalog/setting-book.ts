import {
	checkSetting,
	effectiveSetting,
	KnibError,
	type Offering,
	parseSetting,
	parseSettingName,
	type SettingName,
	type SettingScope,
	type SettingSource,
	type SettingValue,
	type SettingView,
	settingNames,
	settingRow,
	settingUnit,
} from "@knib/core";
import type { SettingsBody } from "./bodies.ts";
import type { Change } from "./change.ts";
import type { Documents } from "./documents.ts";

type Deps = {
	readonly settings: Documents<SettingsBody>;
	readonly host: { readonly id: string; readonly name: string };
	/** What the configuration file says of settings; stands in for the table's default. */
	readonly configured: Readonly<Partial<Record<SettingName, string>>>;
};

/** The scope a request means: a VM, a host of this store, or the cluster. */
export type Scope =
	| { readonly scope: "cluster" }
	| { readonly scope: "host"; readonly id: string; readonly name: string }
	| { readonly scope: "vm"; readonly id: string; readonly name: string };

type Where = { readonly vm?: string; readonly offering?: Offering };

const documentOf = (scope: Scope): string =>
	scope.scope === "cluster" ? "cluster" : `${scope.scope}:${scope.id}`;
const wordsOf = (scope: Scope): string =>
	scope.scope === "cluster" ? "the cluster" : `${scope.scope} ${scope.name}`;

/** Settings as stored: one document a scope, narrowest wins. */
export const createSettingBook = ({ settings, host, configured }: Deps) => {
	const valuesOf = async (id: string) => (await settings.get(id))?.values ?? {};

	const effective = async <N extends SettingName>(
		name: N,
		where: Where,
	): Promise<{ value: SettingValue<N>; source: SettingSource | "configuration" }> => {
		const vm = where.vm === undefined ? undefined : (await valuesOf(`vm:${where.vm}`))[name];
		const own = (await valuesOf(`host:${host.id}`))[name];
		const cluster = (await valuesOf("cluster"))[name];
		const offering = name === "backup.chain.size" ? where.offering?.backupChainSize : undefined;
		const found = effectiveSetting(name, {
			...(vm === undefined ? {} : { vm }),
			...(offering === undefined ? {} : { offering }),
			...(own === undefined ? {} : { host: own }),
			...(cluster === undefined ? {} : { cluster }),
		});
		const file = configured[name];
		if (found.source !== "default" || file === undefined) return found;
		return { value: checkSetting(name, file), source: "configuration" };
	};

	const viewOf = async (name: SettingName, where: Where, scope: string): Promise<SettingView> => {
		const { value, source } = await effective(name, where);
		return { name, value, unit: settingUnit(name), scope, source };
	};

	const mustTake = (name: SettingName, scope: SettingScope): void => {
		const { scopes } = settingRow(name);
		if (scopes.includes(scope)) return;
		throw new KnibError(
			"SETTING_INVALID",
			`${name} cannot be set for a ${scope}: its scopes are ${scopes.join(", ")}`,
			{ details: { name, scopes } },
		);
	};

	const write = async (
		scope: Scope,
		name: SettingName,
		value: string | number | boolean | null,
	) => {
		const id = documentOf(scope);
		const { [name]: _, ...rest } = await valuesOf(id);
		await settings.put({ id, values: value === null ? rest : { ...rest, [name]: value } });
		return await show(scope, name);
	};

	const whereOf = (scope: Scope, offering?: Offering): Where => ({
		...(scope.scope === "vm" ? { vm: scope.id } : {}),
		...(offering === undefined ? {} : { offering }),
	});

	/** What one scope sets by itself, else what counts there; another host's own values are not known here. */
	const show = async (
		scope: Scope,
		nameText: string,
		offering?: Offering,
	): Promise<SettingView> => {
		const name = parseSettingName(nameText);
		if (scope.scope !== "cluster") return viewOf(name, whereOf(scope, offering), scope.scope);
		const value = (await valuesOf("cluster"))[name];
		const found = effectiveSetting(name, value === undefined ? {} : { cluster: value });
		return {
			name,
			value: found.value,
			unit: settingUnit(name),
			scope: "cluster",
			source: found.source,
		};
	};

	return {
		value: async <N extends SettingName>(name: N, where: Where): Promise<SettingValue<N>> =>
			(await effective(name, where)).value,
		show,
		list: async (scope: Scope, offering?: Offering): Promise<readonly SettingView[]> =>
			await Promise.all(settingNames.map((name) => show(scope, name, offering))),
		set: async (scope: Scope, nameText: string, text: string): Promise<Change<SettingView>> => {
			const name = parseSettingName(nameText);
			mustTake(name, scope.scope);
			const value = parseSetting(name, text);
			return {
				type: "SettingSet",
				explain: [
					`sets ${name} of ${wordsOf(scope)} to ${value} ${settingUnit(name) ?? ""}`.trim(),
				],
				apply: () => write(scope, name, value),
			};
		},
		unset: async (scope: Scope, nameText: string): Promise<Change<SettingView>> => {
			const name = parseSettingName(nameText);
			if ((await valuesOf(documentOf(scope)))[name] === undefined) {
				throw new KnibError("NOT_FOUND", `${name} is not set for ${wordsOf(scope)}`);
			}
			return {
				type: "SettingUnset",
				explain: [`takes ${name} of ${wordsOf(scope)} away: the wider scope counts again`],
				apply: () => write(scope, name, null),
			};
		},
	};
};
export type SettingBook = ReturnType<typeof createSettingBook>;
