/** Settings as the command line reads them: the defaults, changed by AEGISPAY_SETTINGS. */
import { readSettings } from "../config/readSettings.ts";

export const settingsOf = (nodeId: string, root: string) =>
  readSettings({ nodeId, root }, process.env["AEGISPAY_SETTINGS"]);
