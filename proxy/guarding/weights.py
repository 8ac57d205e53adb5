"""The weights of ``proxy.guarding.leaning``, fitted by ``python -m tests.support.injections.lessons``; not to be edited.

Log-odds of an attack: ``shed`` that the concept is there, ``norms+shed`` that both are in a sentence, ``shed>norms`` that
the second comes soon behind the first, ``^shed`` that a sentence begins with it, ``1`` for every text.
"""

from __future__ import annotations

_TABLE = """
1 -1.47, ? -1.18, ^about -1.52, ^actonit 0.63, ^asking -1.04, ^begin -0.12, ^cleared -0.39, ^code -0.27, ^core 0.27,
^decode 0.14, ^detail 0.22, ^exactly 0.6, ^fixed 0.57, ^format -1.1, ^frame -0.4, ^given -0.56, ^goodrole -0.26, ^harm
0.33, ^iam 0.23, ^judge -0.71, ^liberty 0.28, ^maker 0.17, ^modal -0.15, ^mode -0.54, ^mustdo -0.31, ^neg -0.56,
^norefuse -0.15, ^norms -0.67, ^now 0.21, ^obeyme 0.51, ^outside -0.42, ^page -0.41, ^payout 0.15, ^permit 0.19, ^praise
0.26, ^prior -0.51, ^rank -0.23, ^reader 0.31, ^ruin 0.42, ^says -0.25, ^saysure 0.84, ^secretive 0.17, ^shed -0.44,
^show -0.54, ^softly 0.11, ^spoils -0.71, ^telling 0.39, ^they -0.89, ^things -0.97, ^tools -0.51, ^trigger -1.14,
^unchecked -0.67, ^unseen 0.15, ^update 0.38, ^url -0.15, ^vocative -0.22, ^voided -0.22, ^you -0.24, about -0.24,
about+code 0.18, about+given -0.19, about+harm 0.26, about+judge -0.54, about+me -0.22, about+mode 0.15, about+mustdo
-0.18, about+norms -0.39, about+outside -0.31, about+prior -0.18, about+reader -0.2, about+saysure 0.11, about+sendoff
0.15, about+shed -0.29, about+show -0.41, about+spoils -0.26, about+test 0.12, about+they -0.21, about+things -0.38,
about+tools -0.14, about+voided 0.1, about+you -0.2, about>about -0.43, about>code 0.22, about>judge -0.15, about>me
-0.11, about>mode 0.19, about>mustdo -0.15, about>page 0.21, about>reader -0.14, about>sendoff 0.17, about>shed -0.1,
about>show -0.13, about>spoils -0.17, actonit 0.24, actonit+decode 0.84, actonit+given 0.28, actonit+iam 0.16,
actonit+me 0.19, actonit+mustdo 0.32, actonit+obeyme 0.55, actonit+says 0.25, actonit+secretive 0.24, actonit+sendoff
0.48, actonit+show 0.33, actonit+spoils 0.21, actonit+stakes 0.17, actonit+they 0.37, actonit+things 0.35, actonit+tools
0.12, actonit+trigger -0.12, actonit+unseen 0.38, actonit+you 0.29, actonit>actonit 0.41, actonit>given 0.25,
actonit>iam 0.16, actonit>modal 0.13, actonit>norms -0.19, actonit>says 0.25, actonit>tools -0.2, actonit>unseen 0.37,
asking -0.16, asking+code 0.15, asking+given 0.13, asking+harm 0.6, asking+mask 0.2, asking+me -0.26, asking+modal
-0.15, asking+mode -0.15, asking+mustdo -0.22, asking+norefuse -0.11, asking+norms -0.46, asking+outside -0.14,
asking+preface 0.49, asking+prior 0.27, asking+rank -0.14, asking+sendoff -0.27, asking+shed -0.37, asking+show -0.2,
asking+spoils -0.31, asking+stakes -0.14, asking+they -0.27, asking+tools -0.13, asking+trigger -0.14, asking+voided
-0.12, asking+you 0.15, asking>asking -0.56, asking>harm 0.55, asking>me -0.29, asking>modal -0.19, asking>mode -0.17,
asking>neg -0.12, asking>norms -0.13, asking>preface 0.51, asking>prior 0.23, asking>rank -0.11, asking>says -0.1,
asking>sendoff -0.12, asking>shed -0.25, asking>telling -0.15, asking>they -0.33, begin+fixed 0.13, begin+fresh -0.11,
begin+given -0.16, begin+me -0.21, begin+mustdo -0.14, begin+neg -0.14, begin+norms -0.3, begin+now -0.12, begin+page
-0.1, begin+preface 0.4, begin+says -0.18, begin+sendoff 0.13, begin+shed -0.16, begin+spoils 0.19, begin+telling -0.17,
begin+trigger -0.21, begin+url 0.15, begin+you 0.25, begin>fixed 0.15, begin>fresh -0.15, begin>modal -0.11,
begin>mustdo 0.11, begin>show -0.14, begin>spoils 0.16, begin>things 0.11, begin>tools 0.12, begin>you 0.33, cleared+iam
0.26, cleared+me 0.24, cleared+modal 0.15, cleared+neg -0.22, cleared+norms 0.21, cleared+reader 0.15, cleared+shed 0.2,
cleared+tools 0.13, cleared+update -0.16, cleared+you 0.19, cleared>norms 0.15, cleared>shed 0.19, code+given -0.22,
code+goodrole -0.1, code+mail 0.22, code+mask -0.25, code+me 0.13, code+modal 0.22, code+norefuse -0.15, code+norms
0.36, code+outside 0.17, code+page 0.27, code+payout 0.17, code+permit 0.19, code+please -0.15, code+praise 0.35,
code+rank 0.11, code+reader -0.3, code+ruin 0.1, code+secretive -0.32, code+sendoff -0.15, code+shed 0.17, code+show
-0.61, code+stakes -0.23, code+telling 0.28, code+they -0.1, code+things -0.12, code+trigger -0.25, code+unseen -0.12,
code+update 0.16, code+url 0.71, code+you -0.25, code>actonit 0.12, code>code -0.36, code>given -0.22, code>iam 0.1,
code>mail 0.2, code>mask -0.21, code>modal 0.34, code>neg 0.14, code>norefuse -0.12, code>norms 0.45, code>outside 0.17,
code>page 0.19, code>please -0.11, code>praise 0.15, code>rank 0.15, code>secretive -0.32, code>shed 0.23, code>show
-0.4, code>spoils -0.39, code>stakes -0.2, code>unchecked -0.12, code>unseen -0.12, code>update 0.18, code>url 0.72,
code>you -0.17, core+exactly 0.42, core+me -0.21, core+modal 0.11, core+norms 0.18, core+please 0.13, core+prior -0.28,
core+reader -0.32, core+show 0.6, core+telling -0.24, core+vocative -0.1, core>exactly 0.31, core>me -0.13, core>norms
-0.26, core>show 0.26, core>vocative -0.11, decode+iam 0.12, decode+me -0.14, decode+modal 0.21, decode+show -0.42,
decode+they 0.15, decode+things -0.25, decode+url 0.14, decode+you -0.14, decode>actonit 0.68, decode>given -0.14,
decode>me -0.13, decode>prior 0.15, decode>secretive -0.13, decode>things -0.2, decode>tools 0.11, detail+frame 0.29,
detail+goodrole 0.21, detail+harm 0.59, detail+norms -0.16, detail+reader 0.14, detail+sendoff 0.16, detail+spoils
-0.12, detail+telling 0.1, detail+things -0.27, detail+you -0.32, detail>asking -0.11, detail>harm 0.42, detail>me
-0.28, detail>sendoff 0.25, detail>telling -0.16, detail>you -0.16, exactly 0.15, exactly+given 0.28, exactly+norms
0.72, exactly+page -0.15, exactly+please -0.15, exactly+preface 0.32, exactly+prior 0.53, exactly+secretive 0.27,
exactly+show 1.1, exactly+they 0.13, exactly+things 0.12, exactly+trigger -0.11, exactly+you 0.25, exactly>norms 0.17,
exactly>prior -0.13, exactly>show 0.4, exactly>things -0.11, exactly>you 0.15, fixed 0.17, fixed+given 0.21, fixed+me
0.17, fixed+mustdo 0.26, fixed+praise 0.11, fixed+says 0.25, fixed+sendoff 0.39, fixed+shed 0.2, fixed+show 0.24,
fixed+telling 0.28, fixed+things 0.42, fixed+you 0.41, fixed>you 0.4, format -0.2, format+me -0.11, format+modal -0.22,
format+mustdo -0.2, format+neg -0.35, format+norms -0.18, format+now -0.24, format+page -0.11, format+reader -0.34,
format+telling -0.23, format+things -0.25, format+you -0.27, format>neg -0.2, format>page -0.14, format>reader -0.33,
frame+harm 0.36, frame+judge 0.24, frame+mask 0.13, frame+modal -0.25, frame+mustdo 0.1, frame+says -0.11, frame+shed
-0.15, frame+things -0.19, frame>asking -0.21, frame>frame 0.14, frame>modal -0.18, frame>neg 0.18, frame>trigger 0.11,
frame>you 0.11, fresh+given -0.12, fresh+me -0.16, fresh+modal -0.13, fresh+mustdo -0.13, fresh+neg -0.15, fresh+norms
-0.19, fresh+please -0.11, fresh+prior -0.12, fresh+shed -0.12, fresh+show -0.28, fresh+spoils 0.17, fresh+you 0.2,
fresh>things -0.17, given+mask -0.1, given+me 0.69, given+modal -0.16, given+mode -0.12, given+mustdo 0.2, given+norms
-0.18, given+now -0.15, given+obeyme 0.36, given+outside -0.16, given+page -0.26, given+payout -0.3, given+please 0.21,
given+praise 0.18, given+prior 0.26, given+rank 0.16, given+reader -0.53, given+ruin 0.14, given+says -0.27,
given+secretive 0.21, given+sendoff -0.13, given+show -0.11, given+softly 0.28, given+spoils 0.27, given+stakes 0.12,
given+telling 0.29, given+things 0.14, given+tools -0.23, given+unchecked 0.21, given+unseen 0.32, given+update -0.21,
given+vocative 0.33, given+you 0.61, given>code -0.14, given>exactly 0.13, given>fixed 0.16, given>given -0.11,
given>mask -0.14, given>mustdo -0.37, given>neg -0.25, given>obeyme 0.11, given>page -0.16, given>praise 0.18,
given>preface -0.25, given>prior 0.36, given>reader -0.16, given>saysure 0.14, given>secretive 0.18, given>shed -0.15,
given>softly 0.14, given>spoils 0.24, given>things -0.12, given>tools -0.16, given>trigger -0.11, given>unseen 0.15,
given>vocative -0.31, given>you 0.38, goodrole -0.11, goodrole+mask -0.68, goodrole+me -0.13, goodrole+mustdo -0.21,
goodrole+norms -0.26, goodrole+now -0.14, goodrole+outside 0.13, goodrole+reader -0.13, goodrole+sendoff 0.18,
goodrole+shed -0.11, goodrole+spoils 0.26, goodrole+things 0.19, goodrole+update 0.12, goodrole+vocative -0.13,
goodrole+you -0.93, goodrole>me -0.34, goodrole>mustdo -0.18, goodrole>reader -0.22, goodrole>show -0.13,
goodrole>telling 0.11, goodrole>things -0.16, harm 0.18, harm+mask 0.18, harm+me 0.66, harm+mustdo 0.37, harm+neg 0.19,
harm+norms 0.11, harm+page 0.19, harm+reader 0.26, harm+sendoff 0.22, harm+show 0.56, harm+telling 0.59, harm+things
0.25, harm+you 0.17, harm>page 0.19, harm>sendoff 0.18, harm>things 0.13, iam+judge 0.15, iam+modal 0.11, iam+mustdo
0.19, iam+norms 0.23, iam+now 0.2, iam+prior 0.26, iam+rank 0.54, iam+ruin 0.12, iam+shed 0.11, iam+show -0.1,
iam+spoils -0.22, iam+store 0.28, iam+telling 0.11, iam+things -0.16, iam+you -0.11, iam>cleared 0.16, iam>judge 0.1,
iam>mustdo 0.13, iam>norms 0.32, iam>rank 0.53, iam>shed 0.13, judge+modal -0.2, judge+mustdo 0.16, judge+norms -0.17,
judge+page -0.1, judge+praise 0.91, judge+reader 0.3, judge+sendoff -0.11, judge+shed 0.16, judge+show 0.22,
judge+spoils -0.23, judge+things -0.14, judge+trigger -0.23, judge+vocative 0.32, judge>about -0.21, judge>given -0.11,
judge>neg 0.19, judge>norms -0.18, judge>praise 0.44, judge>reader 0.24, judge>spoils -0.15, judge>telling -0.12,
judge>you 0.25, liberty 0.28, liberty+mask 1.07, liberty+modal 0.43, liberty+mode 0.26, liberty+norefuse 0.23,
liberty+norms 0.62, liberty+now 0.18, liberty+prior 0.15, liberty+reader 0.43, liberty+shed 0.5, liberty+show 0.17,
liberty+voided 0.12, liberty+you 0.82, liberty>liberty 0.1, liberty>neg 0.15, liberty>norefuse 0.23, liberty>norms 0.23,
liberty>reader 0.35, liberty>show 0.13, liberty>voided 0.12, liberty>you -0.13, mail+neg 0.12, mail+page 0.34,
mail+sendoff 0.63, mail+spoils 0.48, mail+you 0.28, mail>neg 0.12, maker+me 0.3, maker+modal 0.2, maker+mustdo 0.11,
maker+norms 0.23, maker+prior 0.34, maker+sendoff -0.13, maker+shed -0.13, maker+show 0.26, maker+they 0.2, maker+things
0.17, maker+update 0.19, maker+voided 0.14, maker+you 0.34, maker>modal 0.12, maker>prior 0.22, maker>things 0.11,
maker>voided 0.13, maker>you 0.2, mask+me -0.33, mask+neg 0.44, mask+norefuse 0.19, mask+norms 0.31, mask+now 0.13,
mask+obeyme 0.12, mask+outside 0.12, mask+page -0.31, mask+prior -0.18, mask+reader 0.47, mask+says -0.21, mask+sendoff
-0.16, mask+show -0.39, mask+stakes -0.14, mask+they -0.1, mask+things -0.29, mask+tools -0.19, mask+trigger 0.1,
mask+you 0.44, mask>asking 0.11, mask>code -0.12, mask>goodrole -0.41, mask>liberty 1.07, mask>mask 0.24, mask>mustdo
0.13, mask>neg 0.34, mask>norefuse 0.26, mask>norms 0.11, mask>reader 0.57, mask>telling 0.15, mask>things -0.11,
mask>trigger 0.2, mask>unseen 0.1, mask>you -0.31, me+modal 0.18, me+mustdo -0.25, me+norefuse 0.48, me+norms 0.44,
me+now -0.16, me+obeyme 0.76, me+outside 0.21, me+page -0.32, me+permit 0.22, me+please -0.28, me+preface 0.19, me+prior
0.36, me+rank -0.13, me+reader -0.28, me+says 0.18, me+saysure 0.19, me+secretive -0.2, me+sendoff 0.17, me+shed -0.2,
me+show -0.13, me+softly 0.13, me+spoils 0.19, me+stakes -0.33, me+store -0.21, me+things -0.2, me+tools 0.24,
me+unchecked 0.21, me+unseen 0.39, me+update -0.17, me+url -0.22, me+voided 0.45, me>actonit 0.23, me>asking 0.1,
me>begin -0.17, me>cleared 0.13, me>core -0.14, me>detail 0.26, me>exactly 0.1, me>fixed 0.34, me>goodrole 0.17, me>harm
0.36, me>me -0.34, me>modal -0.16, me>mustdo 0.15, me>neg 0.27, me>norms -0.13, me>now -0.12, me>page -0.22, me>please
-0.29, me>prior -0.56, me>rank 0.13, me>reader -0.11, me>says -0.27, me>shed -0.44, me>show -0.13, me>spoils 0.27,
me>stakes -0.19, me>things -0.47, me>tools -0.16, me>unchecked 0.12, me>unseen 0.28, me>url -0.13, me>vocative -0.28,
me>voided 0.24, modal -0.13, modal+mode 0.44, modal+mustdo 0.18, modal+neg -0.31, modal+outside 0.18, modal+page -0.12,
modal+payout -0.14, modal+permit 0.23, modal+rank 0.47, modal+ruin 0.12, modal+shed -0.5, modal+show -0.18,
modal+telling 0.18, modal+they -0.22, modal+tools 0.43, modal+trigger -0.29, modal+unchecked 0.17, modal+update -0.19,
modal+vocative -0.26, modal+you 0.33, modal>begin 0.12, modal>code 0.44, modal>decode 0.17, modal>format -0.17,
modal>given -0.14, modal>iam 0.15, modal>liberty 0.25, modal>me 0.15, modal>mode 0.56, modal>mustdo 0.19, modal>neg
0.22, modal>please -0.15, modal>prior 0.24, modal>reader -0.11, modal>ruin 0.22, modal>shed 0.26, modal>show -0.26,
modal>telling 0.15, modal>you 0.2, mode+neg 0.15, mode+norms 0.12, mode+show -0.22, mode+things -0.24, mode+tools -0.14,
mode>liberty 0.22, mode>neg 0.23, mode>norms 0.32, mustdo+neg -0.14, mustdo+norms -0.23, mustdo+obeyme 0.11,
mustdo+payout 0.14, mustdo+permit 0.23, mustdo+praise 0.28, mustdo+reader 0.17, mustdo+ruin 0.1, mustdo+says 0.11,
mustdo+telling 0.6, mustdo+tools 0.13, mustdo+trigger 0.31, mustdo+unchecked 0.11, mustdo+unseen 0.2, mustdo+vocative
0.23, mustdo+you 0.22, mustdo>actonit 0.23, mustdo>begin -0.14, mustdo>code -0.15, mustdo>core 0.13, mustdo>format
-0.22, mustdo>given -0.15, mustdo>iam 0.5, mustdo>me 0.17, mustdo>mustdo 0.19, mustdo>norefuse 0.12, mustdo>norms -0.22,
mustdo>obeyme 0.11, mustdo>page -0.31, mustdo>permit 0.23, mustdo>praise 0.2, mustdo>prior -0.19, mustdo>rank 0.12,
mustdo>reader -0.28, mustdo>secretive 0.23, mustdo>show -0.34, mustdo>store 0.16, mustdo>telling -0.45, mustdo>they
0.11, mustdo>unseen 0.11, mustdo>you 0.21, neg+norefuse 0.61, neg+norms 0.25, neg+now 0.15, neg+obeyme 0.15, neg+page
0.16, neg+payout 0.27, neg+permit 0.42, neg+please -0.37, neg+praise 0.4, neg+preface 0.45, neg+prior 0.22, neg+reader
0.29, neg+ruin 0.35, neg+saysure 0.26, neg+secretive -0.2, neg+sendoff 0.16, neg+shed -0.52, neg+show -0.27, neg+softly
0.26, neg+spoils -0.26, neg+stakes 0.19, neg+store -0.12, neg+telling 1.04, neg+they 0.13, neg+things -0.37, neg+trigger
0.16, neg+unchecked 0.99, neg+unseen 0.65, neg+update 0.21, neg+url 0.19, neg+vocative 0.28, neg+voided 0.25, neg+you
0.67, neg>about 0.2, neg>asking 0.22, neg>cleared -0.1, neg>format -0.13, neg>given -0.26, neg>goodrole -0.15, neg>judge
0.16, neg>modal -0.37, neg>mustdo -0.12, neg>neg -0.5, neg>norefuse 0.7, neg>norms 0.62, neg>obeyme 0.18, neg>please
-0.23, neg>prior -0.16, neg>saysure 0.2, neg>secretive -0.22, neg>sendoff -0.23, neg>show -0.11, neg>softly 0.25,
neg>spoils -0.61, neg>stakes -0.13, neg>telling 0.63, neg>they 0.35, neg>things -0.29, neg>tools -0.25, neg>trigger
-0.23, neg>unchecked 0.94, neg>unseen 0.21, neg>update 0.43, neg>vocative -0.11, neg>you 0.22, norefuse+reader -0.13,
norefuse+show -0.15, norefuse+things -0.17, norefuse+unchecked -0.17, norefuse+you 0.38, norefuse>me 0.17,
norefuse>mustdo -0.12, norefuse>neg 0.22, norefuse>norefuse 0.13, norefuse>reader 0.32, norefuse>trigger -0.14, norms
0.49, norms+now 0.49, norms+obeyme 0.43, norms+outside -0.31, norms+page -0.48, norms+payout -0.3, norms+please 0.36,
norms+prior 0.37, norms+reader -0.44, norms+ruin 0.12, norms+says -0.4, norms+saysure 0.3, norms+secretive 0.45,
norms+sendoff -0.28, norms+shed 0.42, norms+show 0.22, norms+spoils -0.15, norms+stakes 0.1, norms+store -0.11,
norms+telling -0.37, norms+they -0.14, norms+things -0.52, norms+tools -0.42, norms+trigger 0.5, norms+unchecked -0.21,
norms+update 0.26, norms+vocative -0.24, norms+voided 0.53, norms+you 0.83, norms>about -0.36, norms>begin -0.2,
norms>code 0.62, norms>exactly 0.41, norms>iam -0.13, norms>liberty 0.56, norms>maker 0.29, norms>mask -0.18, norms>me
0.43, norms>mode -0.18, norms>neg 0.13, norms>norefuse -0.13, norms>now 0.3, norms>obeyme 0.42, norms>page -0.19,
norms>payout 0.12, norms>please 0.21, norms>prior -0.17, norms>says -0.21, norms>secretive 0.38, norms>sendoff -0.14,
norms>shed 0.66, norms>show 0.47, norms>telling 0.15, norms>things -0.25, norms>tools -0.23, norms>update 0.49,
norms>vocative -0.28, norms>voided 0.43, norms>you -0.22, now+obeyme 0.13, now+prior 0.18, now+says -0.11, now+things
-0.24, now+update 0.16, now+voided 0.29, now+you 0.16, now>format -0.11, now>liberty 0.18, now>neg 0.19, now>now 0.19,
now>obeyme 0.13, now>shed -0.11, obeyme 0.16, obeyme+prior 0.25, obeyme+shed 0.6, obeyme+show 0.16, obeyme+telling 0.11,
obeyme+they 0.24, obeyme+things 0.39, obeyme+vocative 0.12, obeyme+you 0.39, obeyme>given 0.11, obeyme>me 0.25,
obeyme>obeyme 0.16, obeyme>telling 0.11, obeyme>they 0.14, obeyme>things 0.24, outside+reader -0.22, outside+secretive
0.12, outside+sendoff 0.59, outside+shed -0.15, outside+show 0.16, outside+spoils 0.85, outside+telling -0.15,
outside+things 0.64, outside+url -0.14, outside+you 0.15, outside>reader -0.16, outside>sendoff -0.1, outside>things
0.62, page+payout 0.24, page+please -0.12, page+praise -0.16, page+preface -0.11, page+prior -0.34, page+rank -0.17,
page+ruin 0.17, page+says -0.21, page+sendoff -0.39, page+shed -0.21, page+show -0.18, page+spoils 0.24, page+stakes
-0.15, page+telling 0.29, page+things -0.11, page+tools -0.13, page+trigger 0.12, page+unchecked 0.22, page+unseen 0.37,
page+url 0.11, page+vocative 0.17, page+voided -0.11, page+you -0.1, page>mail 0.22, page>me -0.15, page>modal -0.13,
page>mustdo 0.31, page>neg 0.2, page>norms 0.12, page>page 0.28, page>payout 0.27, page>reader -0.3, page>sendoff 0.16,
page>show -0.26, page>tools -0.14, payout+permit 0.25, payout+prior -0.19, payout+reader 0.14, payout+says -0.11,
payout+secretive 0.19, payout+sendoff -0.1, payout+stakes -0.17, payout+things -0.14, payout+tools 0.5, payout+trigger
0.14, payout+unchecked 0.27, payout+unseen 0.29, payout+vocative 0.14, payout>mustdo 0.19, payout>payout 0.56,
payout>prior -0.26, payout>tools 0.22, payout>trigger 0.11, payout>unchecked 0.25, payout>unseen 0.12, payout>voided
0.16, payout>you 0.16, permit 0.13, permit+prior -0.11, permit+rank 0.36, permit+reader 0.49, permit+spoils 0.23,
permit+telling 0.16, permit+tools -0.16, permit+unchecked 0.5, permit+unseen 0.24, permit+you -0.16, permit>me 0.18,
permit>modal 0.17, permit>mustdo 0.12, permit>neg 0.37, permit>norms -0.19, permit>payout 0.22, permit>permit 0.43,
permit>prior -0.14, permit>rank 0.27, permit>show -0.1, permit>telling 0.17, permit>unchecked 0.12, permit>unseen 0.22,
permit>you -0.31, please -0.11, please+preface 0.21, please+reader 0.25, please+says -0.11, please+shed -0.62,
please+show -0.15, please+softly 0.14, please+telling -0.17, please+things -0.5, please+tools -0.13, please+update 0.11,
please>exactly -0.23, please>modal 0.12, please>neg -0.11, please>norms 0.24, please>prior 0.11, please>shed -0.37,
please>show 0.13, please>telling -0.15, please>things -0.34, please>vocative 0.13, praise 0.14, praise+reader 0.16,
praise+says 0.13, praise+sendoff -0.19, praise+shed 0.2, praise+telling 0.15, praise+trigger 0.15, praise+unchecked
0.38, praise+vocative 0.35, praise+you 0.23, praise>code 0.19, praise>judge 0.6, praise>neg 0.25, praise>praise 0.36,
praise>shed 0.17, preface 0.18, preface+prior 0.62, preface+reader -0.29, preface+secretive 0.38, preface+show 0.66,
preface+softly 0.18, preface+things 0.32, preface+trigger 0.11, preface+you 0.15, preface>exactly 0.21, preface>given
-0.31, preface>me -0.39, preface>show 0.11, preface>spoils 0.2, preface>things 0.3, prior+rank 0.26, prior+reader 0.19,
prior+ruin -0.36, prior+says 0.14, prior+secretive 0.13, prior+shed 0.25, prior+show -0.18, prior+softly 0.23,
prior+spoils -0.21, prior+stakes 0.15, prior+telling -0.41, prior+tools -0.38, prior+unchecked -0.3, prior+update -0.51,
prior+url 0.26, prior+vocative -0.13, prior+you 0.45, prior>exactly 0.55, prior>given 0.11, prior>goodrole 0.12,
prior>judge 0.13, prior>liberty 0.14, prior>mask -0.1, prior>mustdo 0.16, prior>neg 0.1, prior>norefuse 0.15,
prior>norms 0.23, prior>payout 0.21, prior>praise 0.16, prior>rank -0.1, prior>reader 0.26, prior>shed -0.45,
prior>spoils 0.18, prior>stakes 0.12, prior>telling 0.1, prior>things -0.28, prior>trigger 0.24, prior>update -0.19,
prior>url 0.15, prior>voided -0.27, prior>you 0.39, rank+reader -0.1, rank+shed -0.2, rank+show -0.2, rank+spoils -0.13,
rank+store 0.13, rank+they -0.13, rank+things -0.37, rank+vocative -0.35, rank+voided -0.29, rank+you 0.31, rank>code
0.2, rank>given 0.12, rank>modal -0.29, rank>mustdo -0.26, rank>prior 0.18, rank>things -0.16, rank>voided -0.24,
rank>you 0.38, reader 0.13, reader+says -0.17, reader+secretive -0.38, reader+sendoff -0.44, reader+shed -0.23,
reader+show -0.59, reader+spoils 0.17, reader+stakes 0.13, reader+store -0.18, reader+telling 0.25, reader+test -0.24,
reader+they -0.24, reader+trigger 0.5, reader+unseen 0.31, reader+vocative 1.02, reader+you -0.22, reader>cleared 0.13,
reader>code -0.29, reader>core -0.23, reader>detail 0.15, reader>given -0.26, reader>goodrole 0.12, reader>judge 0.28,
reader>liberty 0.11, reader>mask -0.18, reader>me -0.14, reader>mustdo 0.32, reader>norefuse -0.34, reader>norms -0.4,
reader>page 0.39, reader>permit 0.39, reader>please 0.3, reader>preface -0.31, reader>prior -0.13, reader>reader 0.54,
reader>secretive -0.22, reader>sendoff -0.13, reader>show -0.78, reader>store -0.14, reader>telling -0.22,
reader>unchecked -0.36, reader>vocative 0.34, reader>you -0.11, ruin+shed 0.52, ruin+show 0.11, ruin+telling 0.47,
ruin+things 0.11, ruin+unchecked 0.1, ruin+unseen 0.31, ruin+you 0.11, ruin>code 0.11, ruin>neg 0.22, ruin>norms 0.11,
ruin>page 0.16, ruin>prior -0.31, ruin>show 0.14, ruin>telling 0.32, ruin>things 0.16, ruin>unseen 0.3, ruin>you 0.11,
says+stakes -0.12, says+telling 0.47, says+they 0.14, says+things 0.11, says+tools 0.2, says+trigger 0.38, says+vocative
-0.11, says+you -0.13, says>given 0.15, says>payout -0.11, says>prior 0.2, says>says 0.56, says>telling 0.18,
says>things 0.12, saysure 0.14, saysure+telling 0.19, saysure>about 0.12, saysure>me 0.19, saysure>norms 0.34,
secretive+shed -0.11, secretive+show 0.41, secretive+spoils 0.15, secretive+stakes -0.17, secretive+they 0.15,
secretive+things 0.24, secretive+tools 0.19, secretive+trigger -0.12, secretive+unchecked -0.13, secretive+unseen 0.45,
secretive+url 0.12, secretive+you 0.47, secretive>code -0.23, secretive>exactly 0.17, secretive>given 0.21,
secretive>mustdo -0.12, secretive>neg -0.14, secretive>preface 0.1, secretive>prior 0.17, secretive>show 0.22,
secretive>spoils 0.26, secretive>they 0.26, secretive>things 0.2, secretive>you 0.32, sendoff+shed -0.19, sendoff+show
-0.46, sendoff+softly 0.2, sendoff+spoils 0.72, sendoff+store 0.13, sendoff+telling -0.15, sendoff+they 0.18,
sendoff+things 0.15, sendoff+unchecked 0.13, sendoff+unseen 0.25, sendoff+url 0.66, sendoff>actonit 0.31, sendoff>begin
0.19, sendoff>code -0.42, sendoff>given -0.24, sendoff>goodrole 0.17, sendoff>mail 0.34, sendoff>outside 0.42,
sendoff>page -0.22, sendoff>payout -0.17, sendoff>reader -0.38, sendoff>sendoff -0.16, sendoff>spoils 0.45,
sendoff>stakes 0.14, sendoff>store 0.16, sendoff>telling -0.25, sendoff>they 0.65, sendoff>tools 0.18, sendoff>url 0.69,
sendoff>vocative -0.25, shed -0.13, shed+show 0.34, shed+softly 0.17, shed+spoils 0.1, shed+stakes 0.25, shed+test 0.16,
shed+they -0.33, shed+things -0.57, shed+tools -0.16, shed+unchecked 0.73, shed+unseen 0.23, shed+update -0.15,
shed+voided -0.23, shed+you -0.11, shed>code 0.23, shed>core -0.2, shed>given 0.23, shed>iam -0.21, shed>judge 0.22,
shed>liberty 0.3, shed>maker -0.13, shed>me -0.48, shed>modal -0.31, shed>mustdo 0.22, shed>norms 0.37, shed>now 0.19,
shed>obeyme 0.34, shed>please -0.1, shed>prior -0.14, shed>rank -0.2, shed>secretive -0.16, shed>shed -0.16, shed>show
0.37, shed>test 0.11, shed>things -0.32, shed>trigger -0.17, shed>unchecked 0.82, shed>unseen 0.21, shed>you 0.34, show
-0.23, show+softly 0.16, show+spoils 0.29, show+store -0.14, show+they 0.28, show+things 0.11, show+trigger -0.41,
show+unchecked -0.13, show+unseen 0.35, show+update -0.11, show+url 0.16, show+vocative -0.39, show+voided -0.14,
show+you 0.32, show>about -0.12, show>actonit 0.11, show>code -0.27, show>core 0.4, show>decode -0.14, show>detail 0.11,
show>fixed 0.23, show>fresh -0.17, show>given 0.17, show>goodrole 0.11, show>harm 0.22, show>judge 0.22, show>maker
0.23, show>mask -0.13, show>me 0.42, show>modal -0.2, show>mode -0.17, show>mustdo 0.23, show>neg -0.29, show>permit
0.17, show>please -0.16, show>praise -0.12, show>preface 0.39, show>prior 0.28, show>reader 0.19, show>sendoff -0.13,
show>shed -0.12, show>show -0.66, show>spoils 0.24, show>telling -0.39, show>tools 0.39, show>trigger -0.43,
show>vocative -0.34, show>you -0.15, softly+trigger 0.19, softly+vocative 0.14, softly+you 0.34, softly>maker -0.12,
softly>me 0.1, softly>neg 0.16, softly>prior 0.13, softly>sendoff 0.11, softly>shed 0.15, softly>show 0.17,
spoils+stakes -0.29, spoils+they 0.18, spoils+tools -0.13, spoils+trigger -0.11, spoils+unchecked 0.49, spoils+unseen
0.55, spoils+update 0.13, spoils+url 0.98, spoils+vocative -0.14, spoils+voided -0.23, spoils+you 0.37, spoils>about
-0.25, spoils>core 0.19, spoils>detail -0.11, spoils>given 0.22, spoils>goodrole 0.19, spoils>mail 0.28, spoils>norms
-0.23, spoils>outside 0.33, spoils>permit 0.27, spoils>prior -0.27, spoils>shed -0.11, spoils>show -0.18, spoils>spoils
0.36, spoils>stakes -0.2, spoils>they 0.37, spoils>tools -0.13, spoils>trigger -0.1, spoils>unseen 0.11, spoils>url
0.27, spoils>vocative -0.17, spoils>voided -0.23, spoils>you 0.41, stakes+they 0.29, stakes+things -0.15, stakes+trigger
0.17, stakes+unseen 0.12, stakes+you 0.16, stakes>asking -0.16, stakes>page -0.14, stakes>reader 0.16, stakes>sendoff
-0.19, stakes>shed 0.16, stakes>spoils 0.13, stakes>stakes 0.13, stakes>trigger 0.14, stakes>you 0.31, store+things
-0.18, store+you -0.11, store>iam 0.28, store>me -0.1, store>norms -0.12, store>store 0.5, store>you 0.1, telling+they
0.16, telling+trigger 0.25, telling+unseen 0.35, telling+vocative -0.15, telling>asking 0.36, telling>core -0.22,
telling>detail 0.21, telling>fixed 0.22, telling>goodrole -0.1, telling>harm 0.25, telling>iam 0.12, telling>mustdo
-0.17, telling>neg 0.26, telling>norms -0.35, telling>praise 0.12, telling>prior -0.22, telling>rank 0.13,
telling>saysure 0.14, telling>shed -0.1, telling>show -0.51, telling>tools 0.2, telling>unseen 0.18, telling>vocative
-0.25, telling>you 0.17, test+things -0.23, test>about 0.13, test>test 0.31, test>things -0.28, test>you 0.25,
they+things 0.1, they+tools 0.4, they+unchecked -0.2, they+update 0.26, they+vocative -0.19, they+voided 0.13,
they>actonit 0.31, they>given 0.16, they>modal -0.1, they>outside 0.12, they>prior -0.18, they>rank -0.14,
they>secretive -0.11, they>sendoff -0.14, they>shed -0.35, they>spoils -0.13, they>stakes 0.24, they>telling 0.13,
they>they -0.12, they>url 0.16, they>vocative -0.1, they>voided 0.15, things -0.39, things+tools -0.32, things+trigger
-0.41, things+vocative -0.25, things+voided -0.11, things+you 0.22, things>about -0.13, things>actonit 0.14,
things>begin -0.14, things>exactly 0.39, things>fixed 0.39, things>format 0.14, things>goodrole -0.12, things>mode -0.1,
things>neg 0.13, things>norms 0.15, things>outside 0.1, things>please -0.18, things>preface 0.28, things>reader -0.14,
things>says -0.16, things>secretive 0.11, things>sendoff 0.1, things>shed -0.18, things>show -0.19, things>they 0.28,
things>things -0.17, things>trigger -0.21, things>unchecked 0.17, things>unseen 0.14, things>vocative -0.29,
things>voided 0.18, things>you 1, tools -0.12, tools+unseen 0.18, tools+vocative -0.32, tools>given 0.12, tools>modal
0.61, tools>mode -0.12, tools>mustdo 0.25, tools>norms 0.18, tools>payout 0.49, tools>prior -0.24, tools>rank 0.12,
tools>says 0.18, tools>secretive 0.18, tools>sendoff -0.14, tools>spoils 0.39, tools>they 0.39, tools>things -0.12,
tools>tools 0.5, tools>trigger 0.28, tools>url 0.12, tools>vocative -0.21, tools>you 0.37, trigger -0.23, trigger+unseen
0.23, trigger+update 0.15, trigger+you 0.13, trigger>begin -0.1, trigger>frame -0.1, trigger>given -0.36, trigger>iam
0.18, trigger>judge -0.17, trigger>mustdo 0.2, trigger>neg -0.14, trigger>norefuse 0.15, trigger>norms 0.32,
trigger>page 0.15, trigger>prior 0.37, trigger>reader 0.68, trigger>says 0.41, trigger>sendoff -0.19, trigger>shed 0.15,
trigger>show 0.11, trigger>spoils -0.15, trigger>things -0.19, trigger>tools -0.16, trigger>trigger 0.16, trigger>unseen
0.19, trigger>you -0.13, unchecked+unseen 0.32, unchecked+you -0.32, unchecked>given -0.11, unchecked>me -0.15,
unchecked>neg 0.11, unchecked>norefuse -0.15, unchecked>page 0.1, unchecked>payout -0.2, unchecked>permit 0.38,
unchecked>prior -0.28, unchecked>reader 0.22, unchecked>things -0.33, unchecked>tools -0.1, unchecked>trigger -0.16,
unchecked>unchecked 0.44, unchecked>unseen 0.14, unchecked>you -0.17, unseen 0.23, unseen+vocative 0.14, unseen+you
0.52, unseen>code -0.11, unseen>given -0.12, unseen>neg 0.51, unseen>norms -0.11, unseen>shed -0.11, unseen>telling
-0.12, unseen>things -0.17, unseen>trigger 0.1, unseen>unseen 0.47, update+vocative -0.11, update+voided -0.35,
update+you -0.24, update>modal -0.12, update>norms -0.3, update>spoils 0.11, update>they 0.2, update>update 0.41,
update>voided -0.34, url 0.14, url+you 0.11, url>begin 0.15, url>code 0.28, url>neg 0.18, url>sendoff 0.19, url>spoils
0.39, url>tools 0.19, vocative -0.13, vocative>given 0.39, vocative>judge 0.38, vocative>me 0.18, vocative>modal -0.21,
vocative>mustdo 0.12, vocative>neg 0.21, vocative>norms 0.39, vocative>page 0.19, vocative>rank -0.32, vocative>reader
0.89, vocative>sendoff 0.18, vocative>things -0.21, vocative>trigger -0.1, vocative>you 0.28, voided+you 0.31, voided>me
0.23, voided>neg 0.26, voided>norms -0.12, voided>now 0.3, voided>prior -0.14, voided>shed -0.17, voided>vocative 0.12,
voided>you 0.17, you 0.35, you>actonit 0.21, you>cleared 0.24, you>code -0.43, you>exactly -0.14, you>format -0.32,
you>fresh 0.33, you>goodrole -0.86, you>iam -0.12, you>judge 0.22, you>liberty 0.8, you>maker 0.16, you>mask 0.41,
you>me -0.24, you>modal 0.1, you>mustdo 0.15, you>neg 0.48, you>norefuse 0.17, you>norms 0.66, you>obeyme 0.14,
you>outside 0.1, you>page 0.21, you>praise 0.17, you>preface -0.35, you>reader 0.21, you>says -0.27, you>sendoff 0.15,
you>shed 0.77, you>softly 0.25, you>spoils -0.43, you>telling 0.26, you>they 0.2, you>things 0.37, you>tools 0.23,
you>trigger 0.18, you>unchecked -0.18, you>unseen 0.54, you>vocative 0.18, you>voided 0.31, you>you 0.72
"""
WEIGHTS = {name: float(weight) for name, weight in map(str.split, _TABLE.split(","))}
