// The one state of the interface: where the operator is, what is known, and how the daemon is reached. Plain readonly data.
import type {
	AuditEvent,
	BackupBrief,
	BackupShown,
	BlockedAction,
	ChainView,
	CheckView,
	FilesView,
	HostView,
	JobLogLine,
	JobView,
	OfferingView,
	PeerView,
	PlanView,
	RepositoryView,
	RetentionView,
	ScheduleView,
	SelectorView,
	SettingView,
	VmView,
} from "@knib/core";
import type { Pixels, Size, Tone } from "../view/frame.ts";
import type { Act } from "./acts.ts";

export type ScreenName =
	| "dashboard"
	| "vms"
	| "vm"
	| "chains"
	| "chain"
	| "backups"
	| "backup"
	| "screen"
	| "files"
	| "jobs"
	| "job"
	| "offerings"
	| "repositories"
	| "settings"
	| "hosts"
	| "peers"
	| "events"
	| "schedules"
	| "selectors"
	| "retention"
	| "doctor";

/** A screen, and the id of the thing it shows. */
export type Route = { readonly screen: ScreenName; readonly id: string | null };

/** A thing that can be acted on. */
export type TargetKind =
	| "vm"
	| "backup"
	| "chain"
	| "job"
	| "offering"
	| "repository"
	| "setting"
	| "host"
	| "peer"
	| "schedule"
	| "selector"
	| "file"
	| "check";
export type Target = { readonly kind: TargetKind; readonly id: string };

/** A route with what was chosen there: selection and marks are by id, so rows may come and go. */
export type Place = {
	readonly route: Route;
	readonly selected: string | null;
	readonly filter: string;
	/** Column that rows are sorted by; null: as the screen orders them. */
	readonly sort: number | null;
	readonly marks: readonly string[];
};

/** Everything the daemon said; null where it has not answered yet. */
export type Data = {
	readonly vms: readonly VmView[] | null;
	/** Why some of the VMs are not of now. */
	readonly vmWarnings: readonly string[] | null;
	readonly backups: readonly BackupBrief[] | null;
	readonly chains: readonly ChainView[] | null;
	readonly jobs: readonly JobView[] | null;
	readonly offerings: readonly OfferingView[] | null;
	readonly repositories: readonly RepositoryView[] | null;
	readonly settings: readonly SettingView[] | null;
	readonly hosts: readonly HostView[] | null;
	readonly peers: readonly PeerView[] | null;
	/** The newest first. */
	readonly events: readonly AuditEvent[] | null;
	readonly schedules: readonly ScheduleView[] | null;
	readonly selectors: readonly SelectorView[] | null;
	readonly retention: readonly RetentionView[] | null;
	/** What doctor found, the worst first. */
	readonly checks: readonly CheckView[] | null;
};

/** What the daemon is asked for by name: the rest comes along with it, or from elsewhere. */
export type ListName = Exclude<keyof Data, "vmWarnings" | "checks">;

/** How the daemon is reached; `since` is when its last word came, ms. */
export type Link = {
	readonly state: "connecting" | "connected" | "lost";
	readonly message: string | null;
	/** What to do about a daemon that does not answer. */
	readonly hint?: string;
	readonly since: number;
};

export type FormField = {
	readonly name: string;
	readonly label: string;
	/** A flag is empty or `yes`. */
	readonly kind: "text" | "flag" | "choice";
	readonly value: string;
	/** What a choice is among. */
	readonly options?: readonly string[];
	/** What it means, shown while one is at it. */
	readonly help?: string;
};
/** What is being filled in, and for what. */
export type FormPurpose =
	| "backup"
	| "validate"
	| "restore"
	| "restore-in-place"
	| "restore-disk"
	| "setting"
	| "setting-unset"
	| "assign"
	| "vm-set"
	| "offering-create"
	| "offering-update"
	| "offering-clone"
	| "repository-add"
	| "verify"
	| "peer-invite"
	| "peer-join"
	| "peer-role"
	| "schedule-create"
	| "selector-create"
	| "extract";

/** The screen that a backup showed in its last validation: whole, and as small as terminals without pixels need it. */
export type Picture = {
	readonly at: string;
	/** PNG in base64. */
	readonly png: string;
	readonly pixels: Pixels;
	readonly small: Pixels;
};

/** What an act answered that must be read; `copies` is what goes to the clipboard. */
export type Told = {
	readonly title: string;
	readonly lines: readonly string[];
	readonly copies: string;
};

/** What is being filled in. */
export type FormModal = {
	readonly kind: "form";
	readonly purpose: FormPurpose;
	readonly target: Target;
	/** Marked with it: what is filled in is meant for them too. */
	readonly others: readonly Target[];
	readonly title: string;
	/** What is good to know before it is filled in. */
	readonly notes: readonly string[];
	readonly fields: readonly FormField[];
	readonly index: number;
	/** What is wrong with it, or why the daemon refused it. */
	readonly error: string | null;
};

export type Modal =
	| { readonly kind: "filter"; readonly text: string }
	| { readonly kind: "palette"; readonly text: string; readonly index: number }
	| { readonly kind: "help"; readonly offset: number }
	| { readonly kind: "told"; readonly told: Told }
	| FormModal
	| {
			readonly kind: "confirm";
			readonly acts: readonly Act[];
			/** The form that they come from: it comes back where they are refused. */
			readonly form: FormModal | null;
			/** Null while the daemon is asked; then one for each act, null where there is nothing to plan. */
			readonly plans: readonly (PlanView | null)[] | null;
			readonly typed: string;
			readonly offset: number;
	  };

export type State = {
	readonly stack: readonly Place[];
	readonly modal: Modal | null;
	/** What the daemon was last told to do from a form, until it has answered. */
	readonly asked: { readonly acts: readonly Act[]; readonly form: FormModal } | null;
	readonly data: Data;
	/** Why a list could not be read, by its name. */
	readonly problems: Readonly<Record<string, string>>;
	/** Last rates of each job that runs, oldest first. */
	readonly rates: Readonly<Record<string, readonly number[]>>;
	readonly logs: Readonly<Record<string, readonly JobLogLine[]>>;
	/** What cannot be done with a backup or chain now, by its id. */
	readonly blocked: Readonly<Record<string, readonly BlockedAction[]>>;
	/** Backups as a whole, by id, as they were looked at. */
	readonly details: Readonly<Record<string, BackupShown>>;
	/** Listings of files by the id of their route, or why there is none. */
	readonly files: Readonly<Record<string, FilesView | string>>;
	/** The last picture that was looked at, or why there is none. */
	readonly picture: { readonly backup: string; readonly shown: Picture | string } | null;
	/** What this terminal can do with pictures. */
	readonly draws: "nothing" | "blocks" | "pixels";
	readonly link: Link;
	readonly size: Size;
	readonly now: number;
	readonly toast: { readonly text: string; readonly tone: Tone; readonly until: number } | null;
	readonly readOnly: boolean;
};

/** A place not yet visited. */
export const placeOf = (route: Route): Place => ({
	route,
	selected: null,
	filter: "",
	sort: null,
	marks: [],
});

/** The state before anything is known. */
export const initialState = (options: {
	readonly size: Size;
	readonly now: number;
	readonly readOnly: boolean;
	readonly draws: State["draws"];
}): State => ({
	stack: [placeOf({ screen: "dashboard", id: null })],
	modal: null,
	asked: null,
	data: {
		vms: null,
		vmWarnings: null,
		backups: null,
		chains: null,
		jobs: null,
		offerings: null,
		repositories: null,
		settings: null,
		hosts: null,
		peers: null,
		events: null,
		schedules: null,
		selectors: null,
		retention: null,
		checks: null,
	},
	problems: {},
	rates: {},
	logs: {},
	blocked: {},
	details: {},
	files: {},
	picture: null,
	link: { state: "connecting", message: null, since: options.now },
	toast: null,
	...options,
});

/** Where the operator is. */
export const placeIn = (state: State): Place =>
	state.stack.at(-1) ?? placeOf({ screen: "dashboard", id: null });
