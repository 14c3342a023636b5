// Reads what the daemon knows. Long lists come in parts, and only as much of each item as lists show.
import type { BackupBrief, FilesView } from "@knib/core";
import { asKnibError } from "@knib/core/errors";
import type { KnibClient } from "@knib/host-daemon/client";
import { filesPlace } from "./files-place.ts";
import type { Msg } from "./msg.ts";
import type { Data, ListName, Picture } from "./state.ts";

type Api = KnibClient["api"];
type Dispatch = (msg: Msg) => void;
const PAGE = 500;
const EVENTS = 500;

/** Equal words of thousands of backups are kept once. */
const shared = () => {
	const known = new Map<string, string>();
	const once = (text: string): string => {
		const found = known.get(text);
		if (found !== undefined) return found;
		known.set(text, text);
		return text;
	};
	const vms = new Map<string, BackupBrief["vm"]>();
	return (one: BackupBrief): BackupBrief => {
		const vm = vms.get(`${one.vm.uuid} ${one.vm.name}`) ?? one.vm;
		vms.set(`${vm.uuid} ${vm.name}`, vm);
		const { host, chain, createdAt, pointInTime, parent } = one;
		return {
			...one,
			vm,
			host: once(host),
			chain: chain === null ? null : once(chain),
			parent: parent === null ? null : once(parent),
			pointInTime: pointInTime === createdAt ? createdAt : pointInTime,
		};
	};
};

const readBackups = async (api: Api, vm: string | undefined): Promise<readonly BackupBrief[]> => {
	const share = shared();
	const all: BackupBrief[] = [];
	let after: string | undefined;
	for (;;) {
		const asked = { limit: PAGE, ...(vm === undefined ? {} : { vm }) };
		const page = await api.backup.page.query(after === undefined ? asked : { ...asked, after });
		all.push(...page.backups.map(share));
		if (page.next === null) return all;
		after = page.next;
	}
};

/** How each list is asked for. */
const ASKS: {
	readonly [L in Exclude<ListName, "vms">]: (api: Api) => Promise<Data[L]>;
} = {
	hosts: (api) => api.host.list.query(),
	jobs: (api) => api.job.list.query({}),
	repositories: (api) => api.repository.list.query(),
	chains: (api) => api.chain.list.query({}),
	backups: (api) => readBackups(api, undefined),
	offerings: (api) => api.offering.list.query({}),
	settings: (api) => api.settings.list.query({}),
	peers: (api) => api.peer.list.query(),
	events: async (api) => (await api.event.list.query({ limit: EVENTS })).toReversed(),
	schedules: (api) => api.schedule.list.query(),
	selectors: (api) => api.selector.list.query(),
	retention: (api) => api.retention.preview.query({}),
};

/** Lists that change without a job of ours. */
export const LIVE: readonly ListName[] = ["vms", "hosts", "repositories"];
/** What the dashboard needs, and then the rest. */
const FIRST: readonly ListName[] = ["jobs", "vms", "hosts", "repositories"];
const REST: readonly ListName[] = ["chains", "offerings", "settings", "backups"];

const dataOf = async (api: Api, list: ListName): Promise<Partial<Data>> => {
	if (list !== "vms") return { [list]: await ASKS[list](api) };
	const { vms, warnings } = await api.vm.inventory.query();
	return { vms, vmWarnings: warnings };
};

const askList = async (api: Api, list: ListName): Promise<Msg> => {
	try {
		return { type: "data", data: await dataOf(api, list) };
	} catch (error) {
		return { type: "problem", list, message: asKnibError(error).message };
	}
};

/** Asks for what is seen first; each answer is a message, and none rejects. */
export const askFirst = (api: Api): readonly Promise<Msg>[] =>
	FIRST.map((list) => askList(api, list));

/** Reads lists; each comes as it is there, and one that cannot be read does not keep the others. */
export const readLists = async (
	api: Api,
	lists: readonly ListName[],
	dispatch: Dispatch,
): Promise<void> => {
	await Promise.all(lists.map(async (list) => dispatch(await askList(api, list))));
};

/** Reads everything, what is seen first first, or takes it where it was asked for already. */
export const readAll = async (
	api: Api,
	dispatch: Dispatch,
	first: readonly Promise<Msg>[] = askFirst(api),
): Promise<void> => {
	await Promise.all(first.map(async (answer) => dispatch(await answer)));
	await readLists(api, REST, dispatch);
};

/** Reads what a job of a VM may have changed. */
export const readAfterJob = async (api: Api, vm: string, dispatch: Dispatch): Promise<void> => {
	const ofVm = async (): Promise<void> =>
		dispatch({ type: "backups-of", vm, backups: await readBackups(api, vm) });
	const backups = ofVm().catch(() => readLists(api, ["backups"], dispatch));
	await Promise.all([backups, readLists(api, [...FIRST, "chains"], dispatch)]);
};

/** The files of a place; null where there is only a disk to be chosen. */
export const readFiles = async (api: Api, id: string): Promise<FilesView | null> => {
	const { backup, disk, partition, path } = filesPlace(id);
	if (disk === "") return null;
	return await api.files.list.query({
		...{ backup, disk },
		...(partition === null ? {} : { partition }),
		...(path === null ? {} : { path }),
	});
};

const THUMBNAIL = { width: 200, height: 160 };

/** The screen of a backup, decoded. */
export const readPicture = async (api: Api, backup: string): Promise<Picture> => {
	const { at, png } = await api.backup.screenshot.query({ backup });
	const [{ PNG }, { cellsOf, shrunk }] = await Promise.all([
		import("pngjs"),
		import("../view/picture.ts"),
	]);
	const { width, height, data } = PNG.sync.read(Buffer.from(png, "base64"));
	const pixels = { width, height, data };
	const small = cellsOf(pixels, { width: THUMBNAIL.width, height: THUMBNAIL.height / 2 });
	return { at, png, pixels, small: shrunk(pixels, small.width, small.height * 2) };
};
