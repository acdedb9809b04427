"""The usual markup of presentations (ECMA-376, part 1, 19 to 22; MS-PPTX and MS-ODRAWXML for the extensions).

An element is usual if it hides, moves, covers, cuts, recolours or replaces no text, or if what it does is judged
exactly elsewhere in this package.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Final

from lxml import etree

from tasks.inputs.office.alternatives import doubt
from tasks.inputs.office.drawings import mark_unsure
from tasks.inputs.office.usual_markup import UsualMarkup

_OFFICE: Final = "http://schemas.openxmlformats.org"
_MICROSOFT: Final = "http://schemas.microsoft.com/office"
MAIN: Final = f"{_OFFICE}/drawingml/2006/main"
MATH: Final = f"{_OFFICE}/officeDocument/2006/math"
_WIDTH: Final = r"\d{1,5}|1[0-4]\d{4}"
"""Widths of lines in EMU up to 12 points. Thicker ones cover letters beside them."""
_NEAR: Final = r"-?\d{1,5}|-?[1-3]\d{5}"
"""Distances in EMU up to 31 points."""
_NONE: Final = "0|false"
_SHARE: Final = r"-?0(?:\.\d+)?|-?0?\.\d+|1(?:\.0+)?|-?\d(?:\.\d+)?E-\d+"
_FONT: Final = r"typeface=(?!(?i:symbol|wingdings(?:\s[23])?|webdings|marlett|zapf\s?dingbats)$).* charset=(?!2$).*"
"""Any font but those in which letters and figures are drawn as signs."""
_ABOUT_TEXT: Final = (
    "kumimoji lang altLang b i u kern cap noProof dirty err smtClean smtId bmk "
    rf"sz=\d{{1,5}} spc=-?\d{{1,5}} normalizeH={_NONE}"
)
_ABOUT_PARAGRAPHS: Final = (
    "marL marR lvl indent algn=l|ctr|r|just defTabSz rtl eaLnBrk fontAlgn latinLnBrk hangingPunct"
)
_LEVELS: Final = "\n".join(f"lvl{level}pPr {_ABOUT_PARAGRAPHS}" for level in range(1, 10))
_LOCKS: Final = (
    "noGrp noSelect noRot noChangeAspect noMove noResize noEditPoints noAdjustHandles noChangeArrowheads "
    "noChangeShapeType noTextEdit noCrop noUngrp noDrilldown"
)


def _elements(names: str, *attributes: str) -> str:
    """Return lines of a table for elements that have the same attributes."""
    return "\n".join(" ".join((name, *attributes)) for name in names.split())


_COLORS: Final = _elements(
    "tint shade inv gray alpha alphaOff alphaMod hue hueOff hueMod sat satOff satMod lumOff lumMod red redOff redMod "
    "green greenOff greenMod blue blueOff blueMod schemeClr prstClr",
    "val",
)
_DRAWING: Final = "\n".join(
    (
        _elements(
            "p r t br highlight uLnTx uFillTx uFill buClr buClrTx buFontTx buNone buBlip buSzTx lnSpc spcBef "
            "spcAft tabLst lstStyle noAutofit spAutoFit tbl tableStyleId tblGrid txBody tblBg wholeTbl band1H "
            "band2H band1V band2V firstCol lastCol firstRow lastRow neCell nwCell seCell swCell tcStyle tcBdr "
            "left right top bottom insideH insideV tl2br tr2bl fill graphic custGeom avLst gdLst ahLst cxnLst "
            "pathLst moveTo lnTo cubicBezTo quadBezTo close custDash round bevel noFill solidFill grpFill gsLst "
            "fgClr bgClr grayscl duotone clrFrom clrTo stretch effectLst scene3d extrusionClr contourClr "
            "masterClrMapping extLst themeElements dk1 lt1 dk2 lt2 accent1 accent2 accent3 accent4 accent5 "
            "accent6 hlink folHlink majorFont minorFont fillStyleLst lnStyleLst effectStyleLst effectStyle "
            "bgFillStyleLst objectDefaults spDef lnDef txDef spPr style extraClrSchemeLst extraClrScheme "
            "custClrLst"
        ),
        rf"""
        fld id type
        pPr {_ABOUT_PARAGRAPHS}
        defPPr {_ABOUT_PARAGRAPHS}
        {_LEVELS}
        rPr {_ABOUT_TEXT} strike baseline
        endParaRPr {_ABOUT_TEXT} strike baseline
        defRPr {_ABOUT_TEXT} strike=noStrike baseline=0%?
        latin {_FONT} panose pitchFamily
        ea {_FONT} panose pitchFamily
        cs {_FONT} panose pitchFamily
        sym typeface panose pitchFamily charset
        hlinkClick id invalidUrl action tgtFrame tooltip history highlightClick endSnd
        hlinkMouseOver id invalidUrl action tgtFrame tooltip history highlightClick endSnd
        hlinkHover id invalidUrl action tgtFrame tooltip history highlightClick endSnd
        snd embed name
        buFont typeface panose pitchFamily charset
        buChar char=\D?
        buAutoNum type startAt
        buSzPct val
        buSzPts val
        spcPct val
        spcPts val
        tab pos algn
        normAutofit fontScale lnSpcReduction=[12]?\d{{1,4}}|[12]?\d(?:\.\d+)?%
        prstTxWarp prst=textNoShape
        tblPr firstRow firstCol lastRow lastCol bandRow bandCol rtl={_NONE}
        gridCol w
        tr h
        tc rowSpan gridSpan hMerge vMerge id
        tcPr marL marR marT marB vert=horz|vert|vert270|eaVert anchor anchorCtr horzOverflow
        lnL w={_WIDTH} cap cmpd algn
        lnR w={_WIDTH} cap cmpd algn
        lnT w={_WIDTH} cap cmpd algn
        lnB w={_WIDTH} cap cmpd algn
        lnTlToBr w={_WIDTH} cap cmpd algn
        lnBlToTr w={_WIDTH} cap cmpd algn
        tblStyleLst def
        tblStyle styleId styleName
        tcTxStyle b i
        graphicData uri
        graphicFrameLocks {_LOCKS}
        spLocks {_LOCKS}
        picLocks {_LOCKS}
        grpSpLocks {_LOCKS}
        cxnSpLocks {_LOCKS}
        stCxn id idx
        endCxn id idx
        xfrm rot flipH flipV
        off x y
        ext cx cy uri
        chOff x y
        chExt cx cy
        prstGeom prst
        ahXY gdRefX minX maxX gdRefY minY maxY
        ahPolar gdRefR minR maxR gdRefAng minAng maxAng
        cxn ang
        pos x y
        gd name fmla
        rect l=l|0|textAreaLeft t=t|0|textAreaTop r=r|textAreaRight b=b|textAreaBottom
        path w h fill stroke extrusionOk path
        arcTo wR hR stAng swAng
        pt x y
        ln w={_WIDTH} cap cmpd algn
        prstDash val
        ds d sp
        miter lim
        headEnd type w len
        tailEnd type w len
        gradFill flip rotWithShape
        gs pos
        lin ang scaled
        fillToRect l t r b
        tileRect l t r b
        pattFill prst
        blipFill dpi rotWithShape
        blip embed cstate
        alphaModFix amt
        lum val bright contrast
        biLevel thresh
        clrChange useA
        tile tx ty sx sy flip algn
        fillRect l t r b
        srcRect l t r b
        srgbClr val legacySpreadsheetColorIndex
        sysClr val lastClr
        scrgbClr r g b
        hslClr hue sat lum
        {_COLORS}
        lnRef idx
        fillRef idx
        effectRef idx
        fontRef idx
        outerShdw blurRad={_NEAR} dist={_NEAR} dir sx=9\d{{4}}|10\d{{4}} sy=9\d{{4}}|10\d{{4}} kx=0 ky=0 algn \
            rotWithShape
        innerShdw blurRad={_NEAR} dist={_NEAR} dir
        glow rad=[1-9]?\d{{1,4}}
        softEdge rad
        reflection blurRad={_NEAR} dist={_NEAR} stA=[1-5]?\d{{1,4}} stPos endA=[1-5]?\d{{1,4}} endPos dir \
            sy=-100000 algn rotWithShape
        camera prst=orthographicFront
        rot lat=0 lon=0 rev=0|[1-7]\d00000
        lightRig rig dir
        sp3d contourW={_WIDTH} prstMaterial=matte|warmMatte|plastic|metal|flat|softEdge|dkEdge
        bevelT w={_WIDTH} h={_WIDTH} prst
        bevelB w={_WIDTH} h={_WIDTH} prst
        videoFile link contentType
        audioFile link contentType
        quickTimeFile link
        wavAudioFile embed name
        overrideClrMapping bg1 tx1 bg2 tx2 accent1 accent2 accent3 accent4 accent5 accent6 hlink folHlink
        theme name
        clrScheme name
        fontScheme name
        font script typeface
        fmtScheme name
        clrMap bg1 tx1 bg2 tx2 accent1 accent2 accent3 accent4 accent5 accent6 hlink folHlink
        custClr name
        """.replace("\\\n", ""),
    )
)
_BODY: Final = (
    "bodyPr rot=0 vert=horz|vert|vert270|eaVert wrap lIns tIns rIns bIns anchor anchorCtr rtlCol numCol=1 spcCol "
    "spcFirstLastPara vertOverflow=overflow horzOverflow=overflow fromWordArt forceAA upright compatLnSpc"
)
_BODY_OF_CHARTS: Final = (
    "bodyPr rot vert=horz|vert|vert270|eaVert wrap lIns tIns rIns bIns anchor anchorCtr rtlCol numCol=1 spcCol "
    "spcFirstLastPara vertOverflow horzOverflow upright compatLnSpc"
)
_SLIDE: Final = "\n".join(
    (
        _elements(
            "defaultTextStyle spTree nvGrpSpPr cNvGrpSpPr grpSp sp nvSpPr style txBody pic nvPicPr cxnSp "
            "nvCxnSpPr cNvCxnSpPr nvGraphicFramePr cNvGraphicFramePr custDataLst extLst clrMapOvr sldLayoutIdLst "
            "txStyles titleStyle bodyStyle otherStyle circle diamond dissolve newsflash plus random wedge sndAc "
            "endSnd timing tnLst bldLst bldAsOne bldSub par excl stCondLst endCondLst prevCondLst nextCondLst "
            "childTnLst subTnLst set attrNameLst attrName tavLst val clrVal progress tgtEl sldTgt bg txEl "
            "graphicEl"
        ),
        r"""
        sld show showMasterSp showMasterPhAnim Ignorable
        sldLayout matchingName type preserve userDrawn showMasterSp showMasterPhAnim Ignorable
        sldMaster preserve Ignorable
        cSld name
        bg bwMode
        bgPr shadeToTitle
        bgRef idx
        cNvPr id name descr title hidden
        nvPr userDrawn isPhoto
        grpSpPr bwMode
        cNvSpPr txBox
        spPr bwMode
        ph type idx sz orient hasCustomPrompt
        cNvPicPr preferRelativeResize
        blipFill dpi rotWithShape
        graphicFrame bwMode
        xfrm rot=0 flipH=0 flipV=0
        oleObj name progId showAsIcon imgW imgH id spid
        embed followColorScheme
        link updateAutomatic
        custData id
        tags id
        ext uri
        clrMap bg1 tx1 bg2 tx2 accent1 accent2 accent3 accent4 accent5 accent6 hlink folHlink
        hf sldNum hdr ftr dt
        sldLayoutId id
        transition spd dur advClick advTm=\d{4,8}
        blinds dir
        checker dir
        comb dir
        cover dir
        cut thruBlk
        fade thruBlk
        pull dir
        push dir
        randomBar dir
        split dir orient
        strips dir
        wheel spokes
        wipe dir
        zoom dir
        stSnd loop
        snd embed name
        bldP spid grpId uiExpand build bldLvl animBg autoUpdateAnimBg rev advAuto
        bldDgm spid grpId uiExpand bld
        bldOleChart spid grpId uiExpand bld animBg
        bldGraphic spid grpId uiExpand
        seq concurrent prevAc nextAc
        cTn id presetID presetClass presetSubtype dur repeatCount repeatDur spd accel decel autoRev restart fill \
            syncBehavior tmFilter evtFilter display masterRel bldLvl grpId afterEffect nodeType nodePh presetBounceEnd
        endSync evt delay
        cond evt delay
        rtn val
        tn val
        iterate type backwards
        tmAbs val
        tmPct val
        anim by from to calcmode valueType bounceEnd
        animClr clrSpc dir
        animEffect transition filter prLst
        animMotion origin path pathEditMode rAng ptsTypes bounceEnd
        animRot by from to bounceEnd
        animScale zoomContents bounceEnd
        audio isNarration
        video fullScrn
        cmd type cmd
        cMediaNode vol mute numSld showWhenStopped
        cBhvr additive accumulate xfrmType from to by rctx override
        tav tm fmla
        boolVal val
        intVal val
        fltVal val
        strVal val
        to x y
        from x y
        by x y
        rCtr x y
        hsl h s l
        rgb r g b
        spTgt spid
        sndTgt embed name
        inkTgt spid
        subSp spid
        charRg st end
        pRg st end
        dgm id bldStep
        chart seriesIdx categoryIdx bldStep
        oleChartEl type lvl
        """.replace("\\\n", ""),
    )
)
"""Animations are judged by their targets (`animations`)."""
_MATH: Final = "\n".join(
    (
        _elements(
            "oMathPara oMathParaPr oMath r rPr ctrlPr f fPr num den sSup sSupPr sSub sSubPr sSubSup sSubSupPr sPre "
            "sPrePr e sup sub rad radPr deg nary naryPr d dPr func funcPr fName limLow limLowPr limUpp limUppPr "
            "lim m mPr mcs mc mcPr mr acc accPr bar barPr groupChr groupChrPr box boxPr eqArr eqArrPr argPr"
        ),
        _elements(
            "jc lit nor sty scr aln type chr limLoc grow begChr endChr sepChr shp count mcJc baseJc plcHide "
            "rSpRule cGpRule rSp cSp cGp pos vertJc opEmu noBreak diff maxDist objDist argSz alnScr degHide "
            "subHide supHide",
            "val",
        ),
        "brk alnAt val",
        "t space",
    )
)
_CHART: Final = "\n".join(
    (
        _elements(
            "chartSpace chart plotArea layout manualLayout title tx rich strRef strCache f v multiLvlStrRef "
            "multiLvlStrCache lvl numRef numCache numLit strLit formatCode legend legendEntry ser cat xVal yVal "
            "bubbleSize spPr txPr dPt dLbls dLbl errBars plus minus trendline trendlineLbl upDownBars upBars "
            "downBars hiLowLines dropLines serLines leaderLines majorGridlines minorGridlines scaling catAx valAx "
            "dateAx serAx barChart bar3DChart lineChart line3DChart pieChart pie3DChart ofPieChart doughnutChart "
            "areaChart area3DChart radarChart scatterChart bubbleChart stockChart surfaceChart surface3DChart "
            "bandFmts bandFmt view3D floor sideWall backWall printSettings dTable pictureOptions protection "
            "custSplit pivotFmts pivotFmt name separator oddHeader oddFooter extLst"
        ),
        _elements(
            "date1904 lang roundedCorners autoTitleDeleted plotVisOnly dispBlanksAs showDLblsOverMax overlay "
            "legendPos idx order delete barDir grouping varyColors gapWidth gapDepth overlap shape "
            "invertIfNegative explosion bubble3D marker symbol smooth axId crossAx crosses crossesAt crossBetween "
            "axPos orientation max min logBase majorTickMark minorTickMark tickLblPos tickLblSkip tickMarkSkip "
            "noMultiLvlLbl lblAlgn lblOffset auto majorUnit minorUnit majorTimeUnit minorTimeUnit baseTimeUnit "
            "showLegendKey showVal showCatName showSerName showPercent showBubbleSize showLeaderLines dLblPos "
            "ptCount firstSliceAng holeSize bubbleScale showNegBubbles sizeRepresents scatterStyle radarStyle "
            "ofPieType splitType splitPos secondPiePt secondPieSize wireframe rotX rotY hPercent depthPercent "
            "rAngAx perspective thickness trendlineType period backward forward intercept dispRSqr dispEq errDir "
            "errBarType errValType noEndCap layoutTarget xMode yMode wMode hMode showHorzBorder showVertBorder "
            "showOutline showKeys autoUpdate size val formatting selection data chartObject userInterface "
            "applyToFront applyToSides applyToEnd pictureFormat pictureStackUnit",
            "val",
        ),
        _elements("x y w h", f"val={_SHARE}"),
        r"style val=[1-3]?\d|40",
        "pt idx formatCode",
        "numFmt formatCode sourceLinked",
        "externalData id",
        "headerFooter alignWithMargins differentOddEven differentFirst",
        "pageMargins l r t b header footer",
        "pageSetup paperSize firstPageNumber orientation blackAndWhite draft useFirstPageNumber horizontalDpi "
        "verticalDpi copies paperHeight paperWidth",
        "clrMapOvr bg1=lt1 tx1=dk1 bg2=lt2 tx2=dk2 accent1=accent1 accent2=accent2 accent3=accent3 accent4=accent4 "
        "accent5=accent5 accent6=accent6 hlink=hlink folHlink=folHlink",
        "ext uri",
    )
)
_OTHERS: Final = {
    f"{_OFFICE}/markup-compatibility/2006": "AlternateContent\nChoice Requires\nFallback",
    f"{_OFFICE}/drawingml/2006/diagram": "relIds dm lo qs cs",
    f"{_MICROSOFT}/drawing/2010/main": "\n".join(
        (
            "m",
            "hiddenFill",
            "hiddenLine w cap cmpd algn",
            "hiddenEffects",
            "hiddenScene3d",
            "hiddenSp3d extrusionH contourW prstMaterial z",
            "useLocalDpi val",
            "shadowObscured val",
            "compatExt spid",
            "imgProps",
            "imgLayer embed",
            "imgEffect",
            "brightnessContrast bright contrast",
            "saturation sat",
            "colorTemperature colorTemp",
            "sharpenSoften amount",
            "backgroundRemoval t b l r",
            "foregroundMark x1 x2 y1 y2",
            "backgroundMark x1 x2 y1 y2",
        )
    ),
    f"{_MICROSOFT}/drawing/2014/main": "creationId id\nrowId val\ncolId val\npredDERef pred\ncxnDERefs st end",
    f"{_MICROSOFT}/drawing/2016/11/main": "picAttrSrcUrl id",
    f"{_MICROSOFT}/drawing/2016/SVG/main": "svgBlip embed",
    f"{_MICROSOFT}/drawing/2017/decorative": "decorative val",
    f"{_MICROSOFT}/drawing/2018/hyperlinkcolor": "hlinkClr val",
    f"{_MICROSOFT}/mac/drawingml/2011/main": "placeholderFlag val\nwrappingTextBoxFlag val",
    f"{_MICROSOFT}/thememl/2012/main": "themeFamily name id vid",
    f"{_MICROSOFT}/powerpoint/2010/main": "\n".join(
        (
            _elements(
                "vortex switch flip ripple honeycomb prism doors window ferris gallery conveyor pan glitter warp "
                "flythrough flash shred reveal wheelReverse",
                "dir isContent isInverted pattern hasBounce thruBlk spokes",
            ),
            "creationId val",
            "modId val",
            "media embed link",
            "trim st end",
            "fade in out",
            "bmkLst",
            "bmk name time",
        )
    ),
    f"{_MICROSOFT}/powerpoint/2012/main": "\n".join(
        (
            "prstTrans prst invX invY",
            "sldGuideLst",
            "notesGuideLst",
            "guide id orient pos userDrawn",
            "clr",
            "presenceInfo userId providerId",
        )
    ),
    f"{_MICROSOFT}/powerpoint/2015/09/main": "morph option",
    "http://customooxmlschemas.google.com/": "slidesCustomData id roundtripDataSignature",
    f"{_MICROSOFT}/drawing/2007/8/2/chart": r"style val=1[0-3]\d|140" + "\ninvertSolidFillFmt\nspPr",
    f"{_MICROSOFT}/drawing/2012/chart": "\n".join(
        (
            _elements("spPr layout leaderLines ext extLst xForSave dlblFieldTable fullRef formulaRef sqref levelRef"),
            _elements("showLeaderLines autoCat numFmt", "val", "formatCode", "sourceLinked"),
        )
    ),
    f"{_MICROSOFT}/drawing/2014/chart": "uniqueId val",
    f"{_MICROSOFT}/drawing/2017/03/chart": "dataDisplayOptions16\ndispNaAsBlank val",
}
SLIDES: Final = UsualMarkup(
    {MAIN: _DRAWING + _BODY, f"{_OFFICE}/presentationml/2006/main": _SLIDE, MATH: _MATH, **_OTHERS,
     f"{_OFFICE}/drawingml/2006/chart": "chart id"}
)  # fmt: skip
"""The usual markup of slides, of their layouts and masters, of themes and of styles of tables."""
CHARTS: Final = UsualMarkup({MAIN: _DRAWING + _BODY_OF_CHARTS, f"{_OFFICE}/drawingml/2006/chart": _CHART, **_OTHERS})
"""The usual markup of charts."""
_DEFAULT: Final = f"{{{MAIN}}}defPPr"
_DEFAULTS: Final = UsualMarkup({MAIN: "defPPr\ndefRPr lang kern"})
"""The usual defaults of a list of styles. Programs differ in whether they apply others."""
_SOFT_EDGE: Final = f"{{{MAIN}}}softEdge"
_OF_TEXT: Final = frozenset(
    f"{{{MAIN}}}{name}"
    for name in (
        "rPr defRPr endParaRPr pPr defPPr bodyPr normAutofit prstTxWarp latin ea cs buChar tc tcPr rect "
        + " ".join(f"lvl{level}pPr" for level in range(1, 10))
    ).split()
)
"""Elements with attributes that concern no other text than that which the elements belong to."""


_TEXTS: Final = tuple(f"{{*}}{name}" for name in ("r", "fld", "p", "txBody", "tc", "sp"))
"""Elements that hold text, and their properties beside it."""


def doubt_unusual(slide: etree._Element) -> bool:
    """Mark what unusual markup of a slide makes doubtful: the text that it belongs to, or that of all the slide if it
    may move, cover, cut or recolour others. Return whether it is all of the slide."""
    doubted: dict[etree._Element, None] = {}
    for element in _unusual(slide):
        is_of_text = element.tag in _OF_TEXT or element.tag.startswith(f"{{{MATH}}}")
        text = next(element.iterancestors(*_TEXTS), None) if is_of_text else None
        if text is None:
            doubt(slide)
            return True
        doubted[text] = None
    if doubted:
        _doubt_all(slide, doubted)
    return False


def is_usual(layer: etree._Element) -> bool:
    """True if all markup of a layout, a master or a theme is usual, except that of its own text, which is not read."""
    return all(any(True for _ in element.iterancestors(f"{{{MAIN}}}p")) for element in _unusual(layer))


def _unusual(root: etree._Element) -> Iterator[etree._Element]:
    """Yield the elements that are not usual where they stand."""
    yield from SLIDES.unusual(root)
    for one in root.iter(_DEFAULT):
        # New shapes alone have what the defaults of objects say.
        owner = next(one.iterancestors(_DEFAULT, f"{{{MAIN}}}objectDefaults"), None)
        if owner is None:
            yield from _DEFAULTS.unusual(one)
    # Shapes fade with their text, but of a picture no more than its edges.
    yield from (one for one in root.iter(_SOFT_EDGE) if next(one.iterancestors("{*}pic"), None) is None)


def _doubt_all(root: etree._Element, owners: Container[etree._Element]) -> None:
    """Mark the texts of these elements, each text once, however many of them it is in."""
    depth = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if element in owners:
            depth += 1 if event == "start" else -1
        elif depth and event == "start" and str(element.tag).endswith("}t"):
            mark_unsure([element])
