"""Seven emotions from a grey face crop, by our own small network trained on FER-2013."""
