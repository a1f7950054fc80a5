import { every } from "./live.js";

every(3);
