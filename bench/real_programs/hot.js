// 40 MiB are written all the time; 200 MiB were written once.
const cold = Array.from({length: 200}, () => Buffer.alloc(1 << 20, 1));
const hot = Buffer.alloc(40 << 20, 1);
let round = 0;
setInterval(() => {
    round++;
    for (let at = 0; at < hot.length; at += 4096) hot[at] = round & 255;
    if (cold[round % 200][0] !== 1) process.exit(1);
}, 2);
