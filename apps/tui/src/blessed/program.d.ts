// The part of blessed that reads keys, by itself: the rest, its widgets, takes longer to load than all of the interface.
declare module "blessed/lib/program.js" {
	import { program } from "blessed";
	export = program;
}
