import type {
	BackupBrief,
	BackupShown,
	BlockedAction,
	FilesView,
	JobEvent,
	JobLogLine,
	PlanView,
} from "@knib/core";
import type { Size } from "../view/frame.ts";
import type { Act } from "./acts.ts";
import type { Data, Link, ListName, Picture, Told } from "./state.ts";

/** A pressed key: its name as blessed has it, and the character it types, if any. */
export type Key = { readonly name: string; readonly text: string | null };

/** Everything that happens to the interface. */
export type Msg =
	| { readonly type: "key"; readonly key: Key }
	| {
			readonly type: "mouse";
			readonly act: "press" | "up" | "down";
			readonly x: number;
			readonly y: number;
	  }
	| { readonly type: "graphics" }
	| { readonly type: "resize"; readonly size: Size }
	| { readonly type: "tick"; readonly now: number }
	| ({ readonly type: "link" } & Omit<Link, "since">)
	| { readonly type: "data"; readonly data: Partial<Data> }
	| { readonly type: "backups-of"; readonly vm: string; readonly backups: readonly BackupBrief[] }
	| { readonly type: "detail"; readonly backup: BackupShown }
	| { readonly type: "picture"; readonly backup: string; readonly shown: Picture | string }
	| { readonly type: "files"; readonly id: string; readonly shown: FilesView | string }
	| { readonly type: "problem"; readonly list: ListName | "checks"; readonly message: string }
	| { readonly type: "job-event"; readonly event: JobEvent }
	| { readonly type: "log"; readonly job: string; readonly lines: readonly JobLogLine[] }
	| { readonly type: "blocked"; readonly id: string; readonly blocked: readonly BlockedAction[] }
	| {
			readonly type: "planned";
			readonly acts: readonly Act[];
			readonly plans: readonly (PlanView | null)[];
	  }
	| { readonly type: "done"; readonly text: string; readonly job: string | null }
	/** An act answered something that must be read. */
	| { readonly type: "told"; readonly told: Told }
	/** Acts were refused or failed, in planning or in doing; the first `done` of them were done. */
	| {
			readonly type: "failed";
			readonly acts: readonly Act[];
			readonly done: number;
			readonly text: string;
	  }
	/** Something could not be read that nobody waits for. */
	| { readonly type: "said"; readonly text: string };

/** What update wants done outside. */
export type Effect =
	| { readonly type: "plan"; readonly acts: readonly Act[] }
	| { readonly type: "act"; readonly acts: readonly Act[] }
	| { readonly type: "log"; readonly job: string }
	| { readonly type: "detail"; readonly id: string }
	| { readonly type: "picture"; readonly id: string }
	| { readonly type: "files"; readonly id: string }
	| { readonly type: "blocked"; readonly chain: string }
	/** Everything, or what a job of a VM may have changed. */
	| { readonly type: "refresh"; readonly vm: string | null }
	| { readonly type: "list"; readonly list: ListName }
	/** Looks over this host, with or without a daemon. */
	| { readonly type: "doctor" }
	| { readonly type: "copy"; readonly text: string }
	| { readonly type: "redraw" }
	| { readonly type: "suspend" }
	| { readonly type: "quit" };
